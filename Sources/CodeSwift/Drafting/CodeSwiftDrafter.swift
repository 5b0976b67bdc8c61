// The CodeSwift drafter: many sources, one draft tree.

public import InferDecoding
import InferTokenizers

/// Guesses from the text itself, from what the model wrote and thought before, from the repository and from common stores
/// (after Zhang et al., "CodeSwift: Accelerating LLM Inference for Efficient Code Generation", arXiv 2502.17139).
///
/// Every source offers what followed the longest ending of the text it knows, and some shorter ones. A guess's value comes from
/// a formula over match length, occurrences and share, corrected by how often such guesses were right; then all sources' values are
/// mixed, and the tree is grown best-first.
public final class CodeSwiftDrafter: Drafter {
    /// The name by which it is chosen.
    public let name = "codeswift"
    /// What the memory of preferences keeps per place; none without it.
    public var candidatesWanted: Int { preferences == nil ? 0 : PreferenceSource.width }

    /// By ``AcceptanceTable`` and ``GuessMixer``; correcting them once more brings nothing.
    public var isCalibrated: Bool { options.calibrates }

    private let options: Options
    private var stores: [StoreSource] = []
    private let context: ContextSource?
    private let history: HistorySource?
    private let cursor: CursorSource?
    private let preferences: PreferenceSource?
    private var sources: [any DraftSource] = []
    private var experience = Experience()
    private var text: [TokenID] = []
    /// Where the output begins in the text.
    private var outputStart = 0
    private var growth = TreeGrowth()
    /// Guesses below this value are not worth making; follows what the engine checks.
    private var floor: Float = 0.01
    /// What notes where the time goes, if anything does.
    private let profile: DraftProfile?
    /// Who is told what became of guesses, if anybody is.
    private let observer: (([GuessOutcome]) -> Void)?

    /// Which parts take part; all but for measuring what each is worth.
    package struct Options: Sendable {
        /// Guess from the text itself.
        package var usesContext = true
        /// Guess from earlier outputs.
        package var usesHistory = true
        /// Follow the text being rewritten.
        package var usesCursor = true
        /// Guess from the model's own candidates.
        package var usesPreferences = true
        /// Correct values by experience.
        package var calibrates = true
        /// Guess from the repository's stores.
        package var usesRepository = true
        /// Guess from common stores.
        package var usesCommonStores = true

        package init() {}

        fileprivate func uses(_ kind: SourceKind) -> Bool {
            switch kind {
            case .repository: usesRepository
            case .common: usesCommonStores
            case .context, .history, .cursor, .preference: true
            }
        }
    }

    /// A drafter over `segments`, of the repository or of common stores.
    ///
    /// - Parameters:
    ///   - profile: What is to note where the time goes.
    ///   - observer: Who is told, of each place whose next token became known, what became of the guesses there, unless
    ///     values are not corrected by experience.
    package init(
        _ segments: [(segment: StoreSegment, kind: SourceKind)] = [], options: Options = Options(),
        profile: DraftProfile? = nil, observer: (([GuessOutcome]) -> Void)? = nil
    ) {
        self.options = options
        self.profile = profile
        self.observer = observer
        context = options.usesContext ? ContextSource() : nil
        history = options.usesHistory ? HistorySource() : nil
        cursor = options.usesCursor ? CursorSource() : nil
        preferences = options.usesPreferences ? PreferenceSource() : nil
        replaceStores(segments)
    }

    /// Replaces the stores, at the beginning of a generation; what was learned stays.
    package func replaceStores(_ segments: [(segment: StoreSegment, kind: SourceKind)]) {
        // What stays keeps its memory of look-ups.
        let known = stores
        stores = SourceKind.allCases.filter(options.uses).flatMap { kind in
            Self.grouped(segments.filter { $0.kind == kind }.map(\.segment), kind).map { wanted in
                known.first { $0.kind == kind && $0.segments == wanted } ?? StoreSource(wanted, kind: kind)
            }
        }
        gatherSources()
        for store in stores { store.reset(to: text, kept: 0) }
    }

    /// Which segments of a kind make a source together: all, but in a repository the largest is one by itself. The others are of what
    /// changed since, near what is being written, and what they say must not drown in it.
    private static func grouped(_ segments: [StoreSegment], _ kind: SourceKind) -> [[StoreSegment]] {
        guard kind == .repository,
            let largest = segments.indices.max(by: { segments[$0].index.tokenCount < segments[$1].index.tokenCount })
        else { return segments.isEmpty ? [] : [segments] }
        var others = segments
        let base = others.remove(at: largest)
        return others.isEmpty ? [[base]] : [[base], others]
    }

    /// What was learned so far, the running output left out.
    package var memory: DraftMemory {
        var memory = DraftMemory()
        memory.history = history?.tokens ?? []
        memory.preferences = preferences?.records ?? []
        memory.tallies = options.calibrates ? experience.table.tallies : []
        memory.weights = options.calibrates ? experience.mixer.weights : []
        return memory
    }

    /// Adds the running output to what is remembered; called at its end.
    package func endOutput() {
        history?.insert(text[min(outputStart, text.count)...])
        outputStart = text.count
    }

    /// Adds what `cache` remembers, as soon as that is read.
    package func adopt(_ cache: DraftCache) {
        guard let contents = cache.takeContents() else { return }
        if options.calibrates {
            experience.table.add(contents.memory.tallies)
            experience.mixer.adopt(contents.memory.weights)
        }
        preferences?.insert(records: contents.memory.preferences)
        guard let history else { return }
        history.prepend(contents.memory.history, contents.automaton)
        history.reset(to: text, kept: 0)
    }

    private func gatherSources() {
        sources = stores
        let others: [(any DraftSource)?] = [context, history, cursor, preferences]
        sources += others.compactMap { $0 }
        if let profile { sources = sources.map { ProfiledSource($0, profile) } }
    }

    /// Adds what was generated to the history, and lets every source take the text.
    public func reset(to tokens: [Int32]) {
        endOutput()
        let kept = zip(text, tokens).prefix { $0 == $1 }.count
        // A text that only grew shorter is a new one to an index that cannot forget.
        for source in sources { source.reset(to: tokens, kept: kept == text.count ? kept : 0) }
        text = tokens
        outputStart = tokens.count
        growth.clear()
    }

    /// Grows a tree from all sources.
    public func draft(into tree: inout DraftTree, limit: Int) {
        timed(.draft) {
            growth.grow(&tree, sources, experience, calibrates: options.calibrates, limit: limit, floor: floor)
        }
    }

    /// Learns how far each source was right, and lets all sources follow the text.
    public func observe(_ verification: Verification) {
        if options.calibrates { timed(.learn) { growth.learn(verification, &experience, observer: observer) } }
        adaptFloor(verification)
        timed(.preferences) { learnPreferences(verification) }
        timed(.follow) {
            for token in verification.tokens {
                for source in sources { source.append(token) }
                text.append(token)
            }
        }
    }

    private func timed(_ stage: DraftProfile.Stage, _ work: () -> Void) {
        guard let profile else { return work() }
        let start = ContinuousClock.now
        work()
        profile.add(stage, since: start)
    }

    /// Lets the floor follow the least valuable guess that was worth checking.
    private func adaptFloor(_ verification: Verification) {
        guard let least = verification.checked.map({ verification.tree.values[$0] }).min() else { return }
        floor += (min(max(least / 2, 0.002), 0.05) - floor) / 8
    }

    private func learnPreferences(_ verification: Verification) {
        guard let preferences else { return }
        let tree = verification.tree
        /// The token of a node, or of the text so many tokens before its end.
        func token(_ node: Int, _ distance: Int = 0) -> TokenID {
            if node >= 0 { return tree.tokens[node] }
            return distance < text.count ? text[text.count - 1 - distance] : -1
        }
        preferences.insert(verification.candidates(after: DraftTree.root), after: token(-1), token(-1, 1))
        for node in verification.checked {
            preferences.insert(verification.candidates(after: node), after: token(node), token(Int(tree.parents[node])))
        }
    }
}
