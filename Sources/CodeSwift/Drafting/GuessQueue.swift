// Guesses that wait to join a draft.

import InferTokenizers

/// A heap of guesses, the most valuable on top.
struct GuessQueue: ~Copyable {
    /// A guess that is not in the tree yet.
    struct Guess {
        var value: Float
        var token: TokenID
        var parent: Int32
        var tag: UInt16
    }

    private var guesses = FlatList<Guess>(capacity: 256)

    mutating func removeAll() { guesses.truncate() }

    mutating func push(_ guess: Guess) {
        guesses.append(guess)
        var child = guesses.count - 1
        while child > 0, case let parent = (child - 1) / 2, guesses[parent].value < guess.value {
            guesses[child] = guesses[parent]
            child = parent
        }
        guesses[child] = guess
    }

    mutating func popBest() -> Guess? {
        guard guesses.count > 0 else { return nil }
        let best = guesses[0]
        let count = guesses.count - 1
        let last = guesses[count]
        guesses.truncate(to: count)
        guard count > 0 else { return best }
        var parent = 0
        while case var child = 2 * parent + 1, child < count {
            if child + 1 < count, guesses[child + 1].value > guesses[child].value { child += 1 }
            guard guesses[child].value > last.value else { break }
            guesses[parent] = guesses[child]
            parent = child
        }
        guesses[parent] = last
        return best
    }
}
