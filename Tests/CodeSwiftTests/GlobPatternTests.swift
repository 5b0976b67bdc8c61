// Patterns of .gitignore files: the cases in gitignore(5) and in git's own tests.

import InferCodeSwift
import Testing

struct GlobPatternTests {
    @Test(
        arguments: [
            // pattern, path, is a folder, ignored
            ("*.o", "a.o", false, true), ("*.o", "x/y/a.o", false, true), ("*.o", "a.oo", false, false),
            ("build", "build", false, true), ("build", "src/build", true, true), ("build/", "build", false, false),
            ("build/", "build", true, true), ("/build", "build", true, true), ("/build", "src/build", true, false),
            ("src/build", "src/build", true, true), ("src/build", "a/src/build", true, false),
            ("**/build", "a/b/build", true, true), ("**/build", "build", true, true),
            ("a/**", "a/b", false, true), ("a/**", "a", true, false), ("a/**/b", "a/b", false, true),
            ("a/**/b", "a/x/y/b", false, true), ("a/**/b", "a/xb", false, false), ("a/*/b", "a/x/b", false, true),
            ("a/*/b", "a/x/y/b", false, false), ("a/*", "a/b", false, true), ("?.c", "a.c", false, true),
            ("?.c", ".c", false, false), ("/?", "/", false, false), ("[a-c].h", "b.h", false, true),
            ("[!a-c].h", "b.h", false, false), ("[^a-c].h", "d.h", false, true), ("[]x]", "]", false, true),
            ("[ab", "[ab", false, false), ("\\*", "*", false, true), ("\\*", "a", false, false),
            ("\\#a", "#a", false, true), ("#a", "#a", false, false), ("\\!a", "!a", false, true),
            ("a b ", "a b", false, true), ("a\\ ", "a ", false, true), ("a**b", "axyb", false, true),
            ("x/a**b", "x/ay/b", false, false), ("", "a", false, false), ("/", "a", true, false),
            ("foo.*", "foo.", false, true), ("*", "anything", false, true), ("a\r", "a", false, true),
        ] as [(String, String, Bool, Bool)])
    func rules(pattern: String, path: String, isFolder: Bool, isIgnored: Bool) {
        let file = IgnoreFile(Array(pattern.utf8))
        #expect((file.ignores(Array(path.utf8), isFolder: isFolder) ?? false) == isIgnored)
    }

    @Test func theLastMatchingRuleDecides() {
        let file = IgnoreFile(Array("*.log\n!keep.log\n\n# a comment\n/keep.log/\n".utf8))
        #expect(file.ignores(Array("a.log".utf8), isFolder: false) == true)
        #expect(file.ignores(Array("keep.log".utf8), isFolder: false) == false)
        #expect(file.ignores(Array("keep.log".utf8), isFolder: true) == true)
        #expect(file.ignores(Array("a.txt".utf8), isFolder: false) == nil)
    }

    /// A matcher with backtracking would need exponential time.
    @Test func hostilePatternsTakeNoLonger() {
        let pattern = String(repeating: "a*", count: 60) + "b"
        #expect(
            IgnoreFile(Array(pattern.utf8)).ignores(Array(repeating: UInt8(ascii: "a"), count: 2000), isFolder: false)
                == nil)
        let folders = String(repeating: "**/a/", count: 40) + "b"
        let path = Array(String(repeating: "a/", count: 400).utf8)
        #expect(IgnoreFile(Array(folders.utf8)).ignores(path, isFolder: false) == nil)
        // For git, a pattern with an unclosed bracket matches nothing.
        let brackets = Array(repeating: UInt8(ascii: "["), count: 300_000)
        #expect(IgnoreFile(brackets).ignores(brackets, isFolder: false) == nil)
    }
}
