// The experts chosen in a step, in the CPU backend's memory.

import InferSupport

/// Experts and weights per row, and per expert the list of the (row, choice) pairs that chose it.
package final class CPUExpertRouting: ExpertRouting, @unchecked Sendable {
    private let memory: AlignedMemory
    /// Of choice j of row i, at i · used + j: its weight, and its expert.
    let weights: UnsafeMutablePointer<Float>
    let experts: UnsafeMutablePointer<Int32>
    /// The numbers i · used + j of all choices, grouped by expert, ascending; and the rows i they belong to.
    let choices: UnsafeMutablePointer<Int32>
    let choiceRows: UnsafeMutablePointer<Int32>
    /// Expert e's part of the lists is `starts[e]..<starts[e + 1]`.
    private(set) var starts: [Int] = []

    /// Room for the choices of `rows` rows.
    init(capacity rows: Int, expertsUsed: Int) throws(InferenceError) {
        memory = try AlignedMemory(bytes: rows, expertsUsed, 16, for: "the routing of experts")
        let count = rows * expertsUsed
        weights = memory.floats
        experts = (memory.base + 4 * count).assumingMemoryBound(to: Int32.self)
        choices = experts + count
        choiceRows = choices + count
        super.init(rows: rows, expertsUsed: expertsUsed)
    }

    /// Builds the lists from the experts of the first `rows` rows; `expertCount` is the number of experts there are.
    func group(rows: Int, expertCount: Int) {
        let count = rows * expertsUsed
        starts = [Int](repeating: 0, count: expertCount + 1)
        for choice in 0..<count { starts[Int(experts[choice]) + 1] += 1 }
        for expert in 0..<expertCount { starts[expert + 1] += starts[expert] }
        var next = starts
        for choice in 0..<count {
            let expert = Int(experts[choice])
            choices[next[expert]] = Int32(choice)
            choiceRows[next[expert]] = Int32(choice / expertsUsed)
            next[expert] += 1
        }
    }
}
