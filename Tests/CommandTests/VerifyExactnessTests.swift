// `swiftinfer verify-exactness` and the drafters of `run` through the built program.

import Foundation
import TestSupport
import Testing

struct VerifyExactnessTests {
    @Test func reportHasAllFigures() throws {
        let run = try Command(
            "verify-exactness", Fixture.llama, "-n", "12", "--limit", "3", "--lengths", "40,41", "--widths", "4,9",
            "--json")
        #expect(run.status == 0)
        #expect(run.errors.isEmpty)
        let report = try run.json()
        #expect(report["prompts"] as? Int == 5)
        #expect(report["mismatches"] as? Int == 0)
        #expect(try #require(report["rows"] as? Int) >= 5 * 8)
        #expect(try #require(report["accepted"] as? Int) > 0)
        #expect((report["plain_hash"] as? String)?.count == 16)
    }

    @Test func productsByALibraryAreExactOrItsAbsenceIsSaid() throws {
        let library = try #require(try Command("doctor", "--json").json()["blas"] as? String)
        #if canImport(Darwin)
        let name = "accelerate"
        #else
        let name = "openblas"
        #endif
        let run = try Command(
            "verify-exactness", Fixture.llama, "--kernels", name, "-n", "12", "--limit", "3", "--json")
        if library.hasPrefix("none") {
            #expect(run.isCleanFailure && run.errors.contains(library.dropFirst(6)))
        } else {
            let report = try run.json()
            #expect(report["mismatches"] as? Int == 0)
            #expect(try #require(report["rows"] as? Int) >= 3 * 8)
        }
    }

    @Test func draftersTakeTurns() throws {
        let options = ["-n", "6", "--limit", "4", "--per-answer", "2", "--samplings", "2", "--json"]
        let report = try Command(["verify-exactness", Fixture.llama] + options).json()
        #expect(report["runs"] as? Int == 4 * 3 * 2)
    }

    @Test func promptsComeFromFiles() throws {
        let folder = try TemporaryFolder()
        let tasks = #"{"id": 1, "prompt": "def f(x):"}"# + "\n" + #"{"prompt": "class A:"}"# + "\n"
        let lines = try folder.file("tasks.jsonl", Data(tasks.utf8)).path
        let text = try folder.file("text.txt", Data("let x = 1\nlet y = 2\n".utf8)).path
        for (file, count) in [(lines, 2), (text, 1)] {
            let run = try Command("verify-exactness", Fixture.qwen, "--prompts", file, "-n", "4", "--json")
            #expect(try run.json()["prompts"] as? Int == count)
        }
        let broken = try folder.file("broken.jsonl", Data("{}\n".utf8)).path
        let refused = try Command("verify-exactness", Fixture.qwen, "--prompts", broken)
        #expect(refused.isCleanFailure)
        #expect(refused.errors.contains("line 1"))
    }

    @Test(arguments: [
        ["--drafters", "no-such-drafter"], ["-n", "0"], ["--widths", ""], ["--samplings", "4"], ["--limit", "0"],
        ["--per-answer", "0"],
    ])
    func wrongUsage(options: [String]) throws {
        #expect(try Command(["verify-exactness", Fixture.llama] + options).status == 64)
    }

    @Test func unknownDraftersAreWrongUsage() throws {
        let run = try Command("run", Fixture.llama, "x", "--drafter", "no-such-drafter")
        #expect(run.status == 64)
        #expect(run.errors.contains("none"))
    }

    @Test func codeSwiftDraftsFromAFolderAndADatastoreWithoutChangingTheOutput() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a.py", Data("def first(items):\n    return items[0]\n".utf8))
        let store = folder.url.appendingPathComponent("s.store").path
        let build = ["datastore", "build", "--extensions", "py", folder.url.path, "-o", store, "--model"]
        #expect(try Command(build + [Fixture.llama]).status == 0)
        let sources = ["--repository", folder.url.path, "--datastore", store]
        let check = ["-n", "12", "--limit", "2", "--drafters", "codeswift", "--json"]
        let report = try Command(["verify-exactness", Fixture.llama] + check + sources).json()
        #expect(report["mismatches"] as? Int == 0)

        let run = ["run", Fixture.llama, "def first(items):", "-n", "12", "--json"]
        let plain = try Command(run + ["--drafter", "none"]).json()
        let drafted = try Command(run + sources).json()
        #expect(drafted["logits_hash"] as? String == plain["logits_hash"] as? String)
        #expect((drafted["draft"] as? [String: Any])?["drafter"] as? String == "codeswift")
    }

    @Test func unusableSourcesAreRefused() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a.py", Data("def first(items):\n    return items[0]\n".utf8))
        let store = folder.url.appendingPathComponent("s.store").path
        let build = ["datastore", "build", "--extensions", "py", folder.url.path, "-o", store, "--model"]
        #expect(try Command(build + [Fixture.llama]).status == 0)
        for options in [["--datastore", store], ["--datastore", store + "x"], ["--repository", store + "x"]] {
            let run = try Command(["run", Fixture.qwen, "x", "-n", "4"] + options)
            #expect(run.isCleanFailure)
            #expect(run.errors.contains(store))
        }
    }
}
