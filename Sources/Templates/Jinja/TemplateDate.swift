// The date and time that a template can print.

public import InferSupport

/// A date and time of day without a time zone, for `strftime_now`.
public struct TemplateDate: Hashable, Sendable {
    /// The parts of the date. The month and day count from 1.
    public let year, month, day: Int
    /// The parts of the time of day.
    public let hour, minute, second: Int

    /// A date and time in ISO 8601, such as `2026-11-29T12:00:00` or `2026-11-29`.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` if the text is not such a date.
    public init(parsing text: String) throws(InferenceError) {
        let numbers = text.split { "-T: ".contains($0) }.map { $0.allSatisfy(\.isASCII) ? Int($0) : nil }
        let parts = numbers.compactMap { $0 }
        let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard parts.count == numbers.count, [3, 5, 6].contains(parts.count), (1...9999).contains(parts[0]),
            (1...12).contains(parts[1]), (1...lengths[parts[1] - 1]).contains(parts[2]),
            parts.count < 5 || ((0...23).contains(parts[3]) && (0...59).contains(parts[4])),
            parts.count < 6 || (0...60).contains(parts[5])
        else {
            throw InferenceError(
                .invalidArgument, "\(text.printable) is not a date such as 2026-11-29T12:00:00")
        }
        (year, month, day) = (parts[0], parts[1], parts[2])
        hour = parts.count > 3 ? parts[3] : 0
        minute = parts.count > 4 ? parts[4] : 0
        second = parts.count > 5 ? parts[5] : 0
    }

    /// The present date and time in the time zone of this machine.
    public static var now: TemplateDate {
        var seconds = time(nil)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return TemplateDate(tm()) }
        return TemplateDate(parts)
    }

    private init(_ parts: tm) {
        (year, month, day) = (Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, max(Int(parts.tm_mday), 1))
        (hour, minute, second) = (Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec))
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// The days of the year before this day.
    private var dayOfYear: Int {
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month - 1]
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return before + day - 1 + (isLeapYear && month > 2 ? 1 : 0)
    }

    /// The day of the week; 0 is Sunday.
    private var weekday: Int {
        let past = year - 1
        return (1 + past * 365 + past / 4 - past / 100 + past / 400 + dayOfYear) % 7
    }

    /// The date by the rules of C's `strftime` in the locale `C`. `%-d` and the like leave out zeros.
    func formatted(_ format: String) -> String {
        var result = ""
        var scalars = format.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            guard var mark = scalars.next() else { return result + "%" }
            let isBare = mark == "-"
            if isBare {
                guard let next = scalars.next() else { return result + "%-" }
                mark = next
            }
            if let number = number(mark) {
                result += padded(number.value, isBare ? 1 : number.width, number.fill)
            } else {
                result += text(mark) ?? (isBare ? "%-\(mark)" : "%\(mark)")
            }
        }
        return result
    }

    private func number(_ mark: Unicode.Scalar) -> (value: Int, width: Int, fill: Character)? {
        switch mark {
        case "Y": (year, 1, "0")
        case "C": (year / 100, 2, "0")
        case "y": (year % 100, 2, "0")
        case "m": (month, 2, "0")
        case "d": (day, 2, "0")
        case "e": (day, 2, " ")
        case "H": (hour, 2, "0")
        case "k": (hour, 2, " ")
        case "I": ((hour + 11) % 12 + 1, 2, "0")
        case "l": ((hour + 11) % 12 + 1, 2, " ")
        case "M": (minute, 2, "0")
        case "S": (second, 2, "0")
        case "f": (0, 6, "0")
        case "j": (dayOfYear + 1, 3, "0")
        case "w": (weekday, 1, "0")
        case "u": (weekday == 0 ? 7 : weekday, 1, "0")
        case "U": ((dayOfYear + 7 - weekday) / 7, 2, "0")
        case "W": ((dayOfYear + 7 - (weekday + 6) % 7) / 7, 2, "0")
        default: nil
        }
    }

    private func text(_ mark: Unicode.Scalar) -> String? {
        switch mark {
        case "B": Self.months[month - 1]
        case "b", "h": String(Self.months[month - 1].prefix(3))
        case "A": Self.weekdays[weekday]
        case "a": String(Self.weekdays[weekday].prefix(3))
        case "p": hour < 12 ? "AM" : "PM"
        case "P": hour < 12 ? "am" : "pm"
        case "F": formatted("%Y-%m-%d")
        case "T", "X": formatted("%H:%M:%S")
        case "R": formatted("%H:%M")
        case "D", "x": formatted("%m/%d/%y")
        case "c": formatted("%a %b %e %H:%M:%S %Y")
        case "r": formatted("%I:%M:%S %p")
        case "n": "\n"
        case "t": "\t"
        case "%": "%"
        // There is no time zone.
        case "Z", "z": ""
        default: nil
        }
    }

    private func padded(_ number: Int, _ width: Int, _ fill: Character) -> String {
        let digits = String(number)
        return String(repeating: fill, count: max(0, width - digits.count)) + digits
    }
}
