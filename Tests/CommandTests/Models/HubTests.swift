// Repositories on the hub: names, lists of files, the choice among them.

import Foundation
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

    @Test func references() throws {
        let repository = try #require(HubRepository("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF"))
        let name = repository.path
        #expect(ModelReference("hf:\(name)") == .hub(repository, choice: nil))
        #expect(ModelReference("hf:\(name):q8_0") == .hub(repository, choice: "q8_0"))
        #expect(ModelReference("hf.co/\(name):Q8_0") == .hub(repository, choice: "Q8_0"))
        #expect(ModelReference("https://huggingface.co/\(name)") == .hub(repository, choice: nil))
        for text in ["hf:", "hf:a", "hf:a/b/c", "hf:a/..", "hf:../b", "hf:a/b:", "hf:a b/c", "hf:a/b?c", "name", "a/b"]
        {
            #expect(ModelReference(text) == nil, "\(text)")
        }
        let url = "https://huggingface.co/o/r/resolve/main/m.gguf"
        #expect(ModelReference(url) == .url(try #require(URL(string: url))))
    }

    @Test(arguments: [
        ("qwen2.5-coder-0.5b-instruct-q8_0.gguf", "Q8_0"), ("Qwen2.5-Coder-7B-Instruct-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen2.5-Coder-1.5B.IQ4_XS.gguf", "IQ4_XS"), ("starcoder2-7b_Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3-Coder-30B-A3B-Instruct-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"), ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("Q8_0/GLM-4.5-Air-Q8_0-00001-of-00003.gguf", "Q8_0"), ("model-f16.gguf", "F16"), ("Q4_0.gguf", "Q4_0"),
        ("m-BF16.gguf", "BF16"),
    ])
    func quantisations(path: String, name: String) { #expect(Quantisation.name(ofFile: path) == name) }

    @Test(arguments: [
        "model.gguf", "Qwen2.5-Coder.gguf", "q-model.gguf", "smollm2-135m.gguf", "a-q9_0.gguf", ".gguf", "",
    ])
    func namesWithoutQuantisation(path: String) { #expect(Quantisation.name(ofFile: path) == nil) }

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
