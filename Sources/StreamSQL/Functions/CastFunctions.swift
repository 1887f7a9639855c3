import StreamCore

/// `int(x)`, `string(x)` and the like: casts by the name of the type.
enum CastFunctions {
    static let all: [ScalarFunction] = [
        cast("boolean", .boolean), cast("tinyint", .int8), cast("smallint", .int16), cast("int", .int32),
        cast("bigint", .int64), cast("float", .float), cast("double", .double), cast("string", .string),
        cast("binary", .binary), cast("decimal", .decimal(precision: 10, scale: 0)),
    ]

    private static func cast(_ name: String, _ type: DataType) -> ScalarFunction {
        ScalarFunction(
            name,
            .custom(1...1) { (typing: inout CallTyping) throws(SyntaxIssue) in
                try Cast.check(from: typing.type(0), to: type, isTry: false, at: typing.spans[0])
                return typing.replace(with: typing.arguments[0].cast(to: type))
            }
        ) { $0.nothing() }
    }
}
