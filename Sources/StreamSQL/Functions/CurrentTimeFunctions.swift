import StreamCore

/// The batch's time: the same for every row of an epoch, whenever it is computed.
enum CurrentTimeFunctions {
    static let all: [ScalarFunction] = [
        ScalarFunction("current_timestamp", aliases: ["now"], .exact([], returns: .timestamp), isFoldable: false) {
            call in
            let now = call.context.now
            return .timestamp(call.dense { _ in now })
        },
        ScalarFunction("current_date", aliases: ["curdate"], .exact([], returns: .date), isFoldable: false) { call in
            let context = call.context
            let today = context.zone.local(context.now).floorDivided(by: TimeText.microsecondsPerDay)
            return .date(call.dense { _ in Int32(truncatingIfNeeded: today) })
        },
        ScalarFunction("current_timezone", .exact([], returns: .string), isFoldable: false) { call in
            let name = Column.of([.string(call.context.zone.description)], type: .string)
            return Vector(constant: name).expanded(call.count)
        },
    ]
}
