// The classes of tokens.

import InferTokenizers
import Testing

struct TokenClassTests {
    @Test(arguments: [
        ("", TokenClass.control), ("\n", .lineBreak), ("    \n  ", .lineBreak), (":\n", .lineBreak),
        ("\r\n", .lineBreak),
        (" ", .space), ("\t\t", .space), (" return", .word), ("  _x", .word), ("return", .wordPart),
        ("Name", .wordPart),
        (" é", .word), ("é", .wordPart), ("42", .number), (" 0x", .number), ("(", .opening), (" [", .opening),
        (".init(", .opening), (" {", .opening), (")", .closing), ("])", .closing), (" }", .closing), ("();", .sign),
        (" =", .sign), ("::", .sign), ("\"", .sign), ("( ", .opening),
    ])
    func byText(text: String, expected: TokenClass) { #expect(TokenClass(text.utf8) == expected) }
}
