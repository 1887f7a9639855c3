import StreamCore

/// A function or operator: its names, how its arguments are typed, and how it is computed.
struct ScalarFunction: Sendable {
    /// In small letters; operators by their symbol.
    let name: String
    var aliases: [String] = []
    let signature: Signature
    /// False for `rand()`, `uuid()`, `now()`: never folded to a constant.
    var isFoldable = true
    /// True: a null argument gives null, and the body sees only rows without nulls. False: the body looks itself.
    var propagatesNulls = true
    /// Errors of the row become null: `try_add` and the like.
    var isTry = false
    let implementation: Implementation

    enum Implementation: Sendable {
        /// Arguments are evaluated first, for all active rows.
        case eager(@Sendable (Call) -> Column)
        /// As `eager`, with work done once per query: compiling a constant pattern.
        case prepared(@Sendable (Preparation) -> (Call) -> Column)
        /// The body evaluates its operands itself, for the rows that need them.
        case lazy(@Sendable (LazyCall) -> Column)
    }

    /// A function that computes each row from its arguments.
    init(
        _ name: String, aliases: [String] = [], _ signature: Signature, propagatesNulls: Bool = true,
        isFoldable: Bool = true, isTry: Bool = false, _ body: @escaping @Sendable (Call) -> Column
    ) {
        self.init(
            name, aliases: aliases, signature, propagatesNulls: propagatesNulls, isFoldable: isFoldable, isTry: isTry,
            implementation: .eager(body))
    }

    init(
        _ name: String, aliases: [String] = [], _ signature: Signature, propagatesNulls: Bool = true,
        isFoldable: Bool = true, isTry: Bool = false, implementation: Implementation
    ) {
        self.name = name
        self.aliases = aliases
        self.signature = signature
        self.propagatesNulls = propagatesNulls
        self.isFoldable = isFoldable
        self.isTry = isTry
        self.implementation = implementation
    }
}

/// What a prepared function knows before the first batch.
struct Preparation {
    /// The argument's one-row column where it is a constant, else nil.
    let constants: [Column?]
    let argumentTypes: [DataType]
    let type: DataType
    let zone: TimeZone

    /// A constant string argument; nil if it varies or is null.
    func text(_ index: Int) -> String? {
        guard index < constants.count, case .string(let text)? = constants[index].map({ $0.datum(0) }) else {
            return nil
        }
        return text
    }
}
