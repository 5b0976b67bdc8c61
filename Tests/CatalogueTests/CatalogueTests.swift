// The catalogue, what names mean, and what files' names say.

import Foundation
import InferCatalogue
import InferSupport
import TestSupport
import Testing

@Suite struct CatalogueTests {
    @Test func theCatalogueIsComplete() throws {
        let catalogue = try Catalogue.embedded()
        #expect(catalogue.entries.prefix(2).map(\.name) == ["smollm2-135m-instruct", "gemma-3-270m"])
        #expect(catalogue.entries.count >= 22)
        #expect(Set(catalogue.entries.map(\.name)).count == catalogue.entries.count)
        for entry in catalogue.entries {
            #expect(!entry.licence.isEmpty && entry.homepage.hasPrefix("https://"))
            #expect(entry.sha256.map(SHA256.isDigest) ?? true)
            // A name must not be taken for something else.
            #expect(ModelReference(entry.name) == nil && !entry.name.contains("/") && !entry.name.hasSuffix(".gguf"))
            if case .hub(_, let quantisation) = entry.source {
                #expect(Quantisation.name(ofFile: "m-\(quantisation).gguf") == quantisation)
            }
        }
    }

    @Test func modelsAreFoundByTheirNames() throws {
        let temporary = try TemporaryFolder()
        let folder = ModelFolder(path: temporary.url.path)
        let catalogue = try Catalogue.embedded()
        func isHub(_ entry: Catalogue.Entry) -> Bool {
            if case .hub = entry.source { true } else { false }
        }
        let entry = try #require(catalogue.entries.first(where: isHub))
        guard case .hub(let repository, let quantisation) = entry.source else { return }
        let files = [
            "\(repository.path)/some-name-\(quantisation).gguf", "Owner/Name/m-Q8_0.gguf", "Owner/Name/m-Q4_0.gguf",
            "Other/Name/big-00001-of-00002.gguf", "Other/Name/big-00002-of-00002.gguf",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "mine.gguf", "Other/Name/mine.gguf", "note.txt",
        ]
        for file in files {
            let url = temporary.url.appendingPathComponent(file)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: url)
        }
        let names = [
            entry.name: files[0], "smollm2-135m-instruct": files[5], "SmolLM2-135M-Instruct.Q4_1": files[5],
            "Owner/Name:Q8_0": files[1], "hf:Owner/Name:q4_0": files[2], "big": files[3], "m-Q8_0": files[1],
            "Other/Name:mine": files[7],
        ]
        for (name, file) in names {
            #expect(try Catalogue.path(named: name, in: folder) == folder.path + "/" + file, "\(name)")
        }
        for (name, message) in [
            ("gemma-3-270m", "swiftinfer pull gemma-3-270m"), ("mine", "several models are called mine"),
            ("Owner/Name", "several models"), ("hf:No/Such", "swiftinfer pull hf:No/Such"), ("note", "swiftinfer list"),
            ("a/b/c", "no such file"), ("", "swiftinfer list"),
        ] {
            expectRefusal(.unreadableFile, message) { try Catalogue.path(named: name, in: folder) }
        }
    }

    @Test func filesComeBeforeNames() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(fileURLWithPath: folder.path("m.gguf")))
        #expect(try Catalogue.path(of: folder.path("m.gguf")) == folder.path("m.gguf"))
        expectRefusal(.unreadableFile, "is a folder") { try Catalogue.path(of: folder.url.path) }
        expectRefusal(.unreadableFile, "no such file") { try Catalogue.path(of: folder.path("n.gguf")) }
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
}
