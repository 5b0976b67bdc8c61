// The drafters that take part in a drafting benchmark.

import InferCodeSwift
import InferDecoding
package import InferSupport
import InferTokenizers
import SwiftInfer

/// A kind of drafter. It makes one drafter per repository, and one for tasks without a repository, when needed.
package final class DraftingContestant {
    /// The sources that a drafter is made from.
    struct Sources {
        let tokenizer: Tokenizer
        /// The repository's documents as tokens; empty for tasks without a repository.
        let documents: [[TokenID]]
        /// Common stores.
        let stores: [Datastore]
    }

    /// The drafter's name.
    package let name: String
    /// Measures which parts of the drafter take time; nil if not measured.
    let profile: DraftProfile?
    /// Receives the outcomes of the drafter's predictions; nil if none are recorded.
    let predictions: PredictionTable?
    private let make: (Sources) -> any Drafter
    private var drafters: [String: any Drafter] = [:]

    private init(
        _ name: String, profile: DraftProfile? = nil, predictions: PredictionTable? = nil,
        _ make: @escaping (Sources) -> any Drafter
    ) {
        self.name = name
        self.profile = profile
        self.predictions = predictions
        self.make = make
    }

    /// All contestants, in the order in which they take part by default.
    ///
    /// - Parameters:
    ///   - ablation: The parts that `codeswift` leaves out.
    ///   - isProfiled: Whether `codeswift` measures which of its parts take time.
    ///   - predictions: Receives the outcomes of `codeswift`'s predictions.
    package static func all(
        without ablation: Ablation = Ablation([]), isProfiled: Bool = false, predictions: PredictionTable? = nil
    ) -> [DraftingContestant] {
        let profile = isProfiled ? DraftProfile() : nil
        return [
            DraftingContestant("codeswift", profile: profile, predictions: predictions) {
                CodeSwiftContestant(
                    documents: $0.documents, stores: $0.stores, vocabularyCount: $0.tokenizer.count,
                    options: ablation.options, profile: profile, predictions: predictions)
            },
            DraftingContestant("prompt-lookup") { _ in PromptLookupDrafter() },
            DraftingContestant("rest") { RESTDrafter(documents: $0.documents + $0.stores.flatMap(\.documentTokens)) },
            DraftingContestant("suffix") { _ in SuffixDecodingDrafter(shape: .tree) },
            DraftingContestant("suffix-chain") { _ in SuffixDecodingDrafter(shape: .chain) },
            DraftingContestant("token-recycling") { TokenRecyclingDrafter(vocabularySize: $0.tokenizer.count) },
            DraftingContestant("ngram-mod") { _ in NgramModDrafter() },
        ]
    }

    /// The contestants in `names`, a comma-separated list. `none` is allowed and ignored: it always takes part.
    ///
    /// - Throws: ``InferenceError`` with `invalidArgument` for an unknown name.
    package static func named(
        _ names: String, without ablation: Ablation = Ablation([]), isProfiled: Bool = false,
        predictions: PredictionTable? = nil
    ) throws(InferenceError) -> [DraftingContestant] {
        let all = all(without: ablation, isProfiled: isProfiled, predictions: predictions)
        var contestants: [DraftingContestant] = []
        for name in names.split(separator: ",") where name != "none" {
            guard let contestant = all.first(where: { $0.name == name }) else {
                let known = all.map(\.name).joined(separator: ", ")
                throw InferenceError(.invalidArgument, "there is no drafter called \(name); there are none, \(known)")
            }
            contestants.append(contestant)
        }
        return contestants
    }

    /// The drafter for a task.
    ///
    /// - Parameters:
    ///   - path: The task's repository.
    ///   - width: The width it drafts for. Each width has its own drafter, which learns nothing from the others.
    ///   - isNew: Whether it starts without anything learned from earlier tasks.
    ///   - withheld: For each document to replace, its number and the parts that remain.
    ///   - answer: The tokens to withhold from the common stores.
    ///   - sources: Makes the sources of a new drafter.
    func drafter(
        for path: String?, width: Int?, isNew: Bool, withholding withheld: [Int: [[TokenID]]], answer: [TokenID],
        sources: () -> Sources
    ) -> any Drafter {
        // A drafter that can forget serves every width, so that the documents are indexed once per repository.
        let key = "\(isNew ? 0 : width ?? 0) \(path ?? "")"
        let known = drafters[key]
        if isNew { (known as? any DocumentDrafter)?.forget() }
        let drafter: any Drafter
        if let known, !isNew || known is any DocumentDrafter {
            drafter = known
        } else {
            drafter = make(sources())
            drafters[key] = drafter
        }
        if let drafter = drafter as? any DocumentDrafter {
            drafter.substitute(withheld)
            drafter.withhold(answer, length: max(12, answer.count - 4))
        }
        return drafter
    }
}

extension Datastore {
    /// The tokens of each document.
    fileprivate var documentTokens: [[TokenID]] {
        (0..<documentCount).compactMap(document).map { $0.tokens.map(index.tokenAt) }
    }
}
