// The drafters that take part in `bench drafting`.

import InferCodeSwift
import InferDecoding
import InferSupport
import InferTokenizers
import SwiftInfer

/// A drafter by name, made when it is needed: one for each repository, and one for tasks without.
final class DraftingContestant {
    /// What a drafter is made from.
    struct Sources {
        let tokenizer: Tokenizer
        /// The repository's documents; none for tasks without repository.
        let documents: [[TokenID]]
        /// Common stores.
        let stores: [Datastore]
    }

    /// The drafter's name.
    let name: String
    /// Where its time goes; nil for those that do not say.
    let profile: DraftProfile?
    /// Where its guesses are written; nil for those that write none.
    let guesses: GuessTable?
    private let make: (Sources) -> any Drafter
    private var drafters: [String: any Drafter] = [:]

    private init(
        _ name: String, profile: DraftProfile? = nil, guesses: GuessTable? = nil,
        _ make: @escaping (Sources) -> any Drafter
    ) {
        self.name = name
        self.profile = profile
        self.guesses = guesses
        self.make = make
    }

    /// What takes part unless something else is asked for.
    ///
    /// - Parameters:
    ///   - ablation: What `codeswift` goes without.
    ///   - isProfiled: Whether `codeswift` is to note where its time goes.
    ///   - guesses: Where `codeswift` is to write what became of its guesses.
    static func all(
        without ablation: Ablation = Ablation([]), isProfiled: Bool = false, guesses: GuessTable? = nil
    ) -> [DraftingContestant] {
        let profile = isProfiled ? DraftProfile() : nil
        return [
            DraftingContestant("codeswift", profile: profile, guesses: guesses) {
                CodeSwiftContestant(
                    documents: $0.documents, stores: $0.stores, vocabularyCount: $0.tokenizer.count,
                    options: ablation.options, profile: profile, guesses: guesses)
            },
            DraftingContestant("prompt-lookup") { _ in PromptLookupDrafter() },
            DraftingContestant("rest") { RESTDrafter(documents: $0.documents + $0.stores.flatMap(\.documentTokens)) },
            DraftingContestant("suffix") { _ in SuffixDecodingDrafter(shape: .tree) },
            DraftingContestant("suffix-chain") { _ in SuffixDecodingDrafter(shape: .chain) },
            DraftingContestant("token-recycling") { TokenRecyclingDrafter(vocabularySize: $0.tokenizer.count) },
            DraftingContestant("ngram-mod") { _ in NgramModDrafter() },
        ]
    }

    /// The contestants called `names`, a list with commas; `none` takes part anyway.
    static func named(
        _ names: String, without ablation: Ablation, isProfiled: Bool, guesses: GuessTable?
    ) throws(InferenceError) -> [DraftingContestant] {
        let all = all(without: ablation, isProfiled: isProfiled, guesses: guesses)
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

    /// The drafter for tasks of the repository at `path`, without the documents' parts that are `withheld`, and without
    /// `answer` in the common stores.
    ///
    /// - Parameters:
    ///   - width: The width it drafts for: each has a drafter of its own, which learns nothing from the others.
    ///   - isNew: Whether it is to begin without what earlier tasks taught it.
    func drafter(
        for path: String?, width: Int?, isNew: Bool, withholding withheld: [Int: [[TokenID]]], answer: [TokenID],
        sources: () -> Sources
    ) -> any Drafter {
        // One that forgets all can serve every width; each holds its repository's documents.
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
