public import StreamCore

/// An expression with names and types resolved: plain data, so that plans can be stored, sent and compared.
public struct Expression: Hashable, Sendable, Codable {
    /// What an expression computes, over expressions that are resolved too.
    public indirect enum Kind: Hashable, Sendable, Codable {
        case literal(Datum)
        /// A column of the input, by its place.
        case column(Int)
        /// A field of a struct, by its place.
        case member(Expression, Int)
        case cast(Expression, isTry: Bool)
        /// A function or operator of the registry, by its name.
        case call(String, [Expression])
    }

    public var kind: Kind
    public var type: DataType
    /// The fields of an interval type; nil for other types.
    public var units: IntervalUnits?

    public init(_ kind: Kind, _ type: DataType, units: IntervalUnits? = nil) {
        self.kind = kind
        self.type = type
        self.units = units ?? IntervalUnits.widest(of: type)
    }

    /// The type's name as `typeof` gives it.
    public var typeName: String { units?.typeName ?? type.name }

    static func text(_ text: String) -> Expression { Expression(.literal(.string(text)), .string) }

    func cast(to type: DataType, units: IntervalUnits? = nil, isTry: Bool = false) -> Expression {
        if self.type == type, units == nil || units == self.units { return self }
        // A NULL literal just takes the type.
        if case .literal(.null) = kind { return Expression(.literal(.null), type, units: units) }
        return Expression(.cast(self, isTry: isTry), type, units: units)
    }

    var children: [Expression] {
        switch kind {
        case .literal, .column: []
        case .member(let inner, _), .cast(let inner, _): [inner]
        case .call(_, let arguments): arguments
        }
    }

    /// The same expression over other children.
    func withChildren(_ children: [Expression]) -> Expression {
        var copy = self
        switch kind {
        case .literal, .column: break
        case .member(_, let index): copy.kind = .member(children[0], index)
        case .cast(_, let isTry): copy.kind = .cast(children[0], isTry: isTry)
        case .call(let name, _): copy.kind = .call(name, children)
        }
        return copy
    }
}

/// An output column.
public struct NamedExpression: Hashable, Sendable, Codable {
    public var name: String
    public var expression: Expression

    public init(_ name: String, _ expression: Expression) {
        self.name = name
        self.expression = expression
    }
}
