// The formats of strings, as regular expressions.

/// The values of the keyword `format`.
enum StringFormats {
    /// The regular expression of a format; nil for unknown formats.
    static func pattern(_ name: String) -> String? {
        switch name {
        case "date": date
        case "time": time
        case "date-time": "(?:\(date))T(?:\(time))"
        case "duration": duration
        case "email": "\(atom)(?:\\.\(atom))*@\(label)(?:\\.\(label))+"
        case "hostname": "\(label)(?:\\.\(label))*"
        case "ipv4": "\(octet)(?:\\.\(octet)){3}"
        case "ipv6": ipv6
        case "uuid": "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
        default: nil
        }
    }

    /// The names of the formats.
    static let names = [
        "date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid",
    ]

    /// RFC 3339: the days that the calendar has, from year 1 on.
    private static let date =
        "(?:\(year)-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
        + "|02-(?:0[1-9]|1\\d|2[0-8]))|\(leapYear)-02-29)"
    private static let year = "(?:[1-9]\\d{3}|0[1-9]\\d{2}|00[1-9]\\d|000[1-9])"
    private static let leapYear = "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
    /// RFC 3339, without leap seconds.
    private static let time =
        "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)"
    /// RFC 3339, appendix A.
    private static let duration =
        "P(?:\(count)W|(?:\(count)Y(?:\(count)M(?:\(count)D)?)?|\(count)M(?:\(count)D)?|\(count)D)(?:\(clock))?|\(clock))"
    private static let clock = "T(?:\(count)H(?:\(count)M(?:\(count)S)?)?|\(count)M(?:\(count)S)?|\(count)S)"
    private static let count = "\\d{1,9}"
    /// RFC 5322: a part of a name without quotes.
    private static let atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
    /// RFC 1123.
    private static let label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    private static let octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
    /// RFC 4291: eight groups, or fewer with `::` in place of the missing ones.
    private static let ipv6: String = {
        let group = "[0-9A-Fa-f]{1,4}"
        var forms = ["(?:\(group):){7}\(group)"]
        for before in 0...7 {
            let head = before == 0 ? "" : "\(group)(?::\(group)){\(before - 1)}"
            let tail = before == 7 ? "" : "(?:\(group)(?::\(group)){0,\(6 - before)})?"
            forms.append("\(head)::\(tail)")
        }
        return forms.joined(separator: "|")
    }()
}
