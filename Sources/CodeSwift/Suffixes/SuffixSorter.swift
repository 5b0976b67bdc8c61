// Suffix sorting in linear time by induced sorting.

package import InferSupport

/// Sorts the suffixes of a text over an integer alphabet by induced sorting (Nong, Zhang & Chan, "Two Efficient
/// Algorithms for Linear Time Suffix Array Construction", 2009).
///
/// The end of the text counts as smaller than every symbol. Besides the text and the array itself, sorting takes at most
/// 4 bytes per symbol of the alphabet, a bit per position, and 2 bytes per position while a level below sorts.
package enum SuffixSorter {
    /// The longest text that can be sorted: positions are 32-bit, and one bit of them marks.
    package static let maximumCount = Int(Int32.max) - 1

    /// Fills `suffixes` with the positions of `text` in the order of the suffixes that begin there.
    ///
    /// - Parameters:
    ///   - text: Symbols in 0..<`alphabet`.
    ///   - suffixes: As long as the text.
    ///   - progress: Called now and then with the share that is done.
    /// - Throws: ``InferenceError`` with `invalidArgument` when the text is longer than ``maximumCount``, when lengths
    ///   differ, or when a symbol lies outside the alphabet.
    package static func sort<Symbol: FixedWidthInteger & UnsignedInteger>(
        _ text: UnsafeBufferPointer<Symbol>, alphabet: Int, into suffixes: UnsafeMutableBufferPointer<UInt32>,
        _ progress: (Double) -> Void = { _ in }
    ) throws(InferenceError) {
        guard text.count <= maximumCount else {
            throw InferenceError(
                .invalidArgument,
                "a text of \(text.count) tokens is too long for one suffix array; the limit is \(maximumCount)")
        }
        guard suffixes.count == text.count, alphabet > 0, alphabet <= maximumCount else {
            throw InferenceError(
                .invalidArgument,
                "a suffix array of \(suffixes.count) entries over \(alphabet) symbols does not fit \(text.count) tokens"
            )
        }
        if let symbol = text.first(where: { Int($0) >= alphabet }) {
            throw InferenceError(.invalidArgument, "token \(symbol) lies outside the alphabet of \(alphabet)")
        }
        guard let symbols = text.baseAddress, let entries = suffixes.baseAddress else { return }
        entries.withMemoryRebound(to: Int32.self, capacity: text.count) { entries in
            InducedSort(text: symbols, count: text.count, alphabet: alphabet, suffixes: entries).run(progress)
        }
    }
}
