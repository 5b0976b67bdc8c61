// Repositories on the hub: lists of files, the choice among them.

import Foundation
import InferCatalogue
import InferSupport
import SwiftInferCommand
import Testing

struct HubTests {
    private func files(_ paths: String...) -> [Hub.File] {
        paths.map { Hub.File(path: $0, size: 1, sha256: nil) }
    }

    private func choose(_ choice: String?, _ files: [Hub.File]) throws -> [String] {
        let repository = try #require(HubRepository("o/r"))
        return try Hub.choose(choice, from: files, of: repository).map(\.path)
    }

    @Test func theBestQuantisationIsChosen() throws {
        let all = files("m-F16.gguf", "m-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m-Q8_0.gguf")
        #expect(try choose(nil, all) == ["m-Q4_K_M.gguf"])
        #expect(try choose("q8_0", all) == ["m-Q8_0.gguf"])
        #expect(try choose("m-f16.gguf", all) == ["m-F16.gguf"])
        #expect(try choose(nil, files("m-F16.gguf", "m-Q8_0.gguf", "m-Q6_K.gguf")) == ["m-Q6_K.gguf"])
        #expect(try choose(nil, files("only.gguf")) == ["only.gguf"])
    }

    @Test func unclearChoicesListWhatThereIs() throws {
        func message(_ choice: String?, _ files: [Hub.File]) -> String {
            do {
                return "chose \(try choose(choice, files))"
            } catch {
                return "\(error)"
            }
        }
        #expect(message("Q5_K_M", files("m-Q4_K_M.gguf", "m-Q8_0.gguf")).contains("no file fits Q5_K_M"))
        #expect(message("Q5_K_M", files("m-Q4_K_M.gguf", "m-Q8_0.gguf")).hasSuffix("from Q4_K_M, Q8_0"))
        #expect(message(nil, files("a-Q2_K.gguf", "a-Q3_K_S.gguf")).contains("unclear"))
        #expect(message(nil, files("a-Q4_K_M.gguf", "b-Q4_K_M.gguf")).hasSuffix("from a-Q4_K_M.gguf, b-Q4_K_M.gguf"))
        #expect(message(nil, []).contains("has no GGUF files"))
    }

    @Test func splitModelsAreTakenWhole() throws {
        let parts = files(
            "s/m-Q8_0-00001-of-00003.gguf", "s/m-Q8_0-00002-of-00003.gguf", "s/m-Q8_0-00003-of-00003.gguf")
        #expect(try choose(nil, parts) == parts.map(\.path))
        #expect(try choose("Q8_0", parts + files("m-Q8_0.gguf")) == ["m-Q8_0.gguf"])
        #expect(throws: InferenceError.self) { try choose(nil, Array(parts.dropLast())) }
        #expect(SplitFile.path(ofPart: 12, like: "a/b-00001-of-00123.gguf") == "a/b-00012-of-00123.gguf")
        for name in [
            "m-00000-of-00003.gguf", "m-00004-of-00003.gguf", "m-00001-of-00000.gguf", "m-1-of-3.gguf",
            "m-+0001-of-00003.gguf",
        ] {
            #expect(SplitFile.place(of: name) == nil)
        }
    }

    @Test func listsOfFiles() throws {
        let digest = String(repeating: "ab", count: 32)
        let answer = """
            [{"type":"directory","path":"d","size":0,"oid":"1"},
             {"type":"file","path":"README.md","size":5,"oid":"2"},
             {"type":"file","path":"m.gguf","size":134,"oid":"3","lfs":{"oid":"\(digest)","size":7,"pointerSize":134}},
             {"type":"file","path":"n.gguf","size":9,"oid":"4","lfs":{"oid":"sha256:no"}}]
            """
        let files = try #require(Hub.files(in: Array(answer.utf8)))
        #expect(files.map(\.path) == ["README.md", "m.gguf", "n.gguf"])
        #expect(files.map(\.size) == [5, 7, 9])
        #expect(files.map(\.sha256) == [nil, digest, nil])
        for other in ["", "{}", "[1]", "<html>", #"[{"type":"file"}]"#] {
            #expect(Hub.files(in: Array(other.utf8)) == nil)
        }
    }

    @Test func pagesOfLists() throws {
        let page = try #require(URL(string: "https://hub.example/api/models/a/b/tree/main?recursive=true"))
        let next = "https://hub.example/api/models/a/b/tree/main?cursor=x"
        #expect(Hub.nextPage(in: "<\(next)>; rel=\"next\"", relativeTo: page)?.absoluteString == next)
        for other in ["", "<\(next)>; rel=\"prev\"", "<https://evil.example/>; rel=\"next\"", ">x<; rel=\"next\""] {
            #expect(Hub.nextPage(in: other, relativeTo: page) == nil)
        }
    }

    @Test(arguments: ["mmproj-F16.gguf", "sub/mmproj.gguf", "imatrix_unsloth.gguf", "README.md", "m.safetensors"])
    func filesThatAreNoModels(path: String) { #expect(!Quantisation.isModel(path)) }
}
