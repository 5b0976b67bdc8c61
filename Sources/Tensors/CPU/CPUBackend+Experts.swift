// Mixture of experts on the CPU: routing, products with the chosen experts, and the weighted sum of their outputs.

import InferSupport
import Synchronization

extension CPUBackend {
    package func route(_ logits: Activations, rows: Int, _ parameters: RoutingParameters, into routing: ExpertRouting) {
        let routing = unsafeDowncast(routing, to: CPUExpertRouting.self)
        forEachRange(rows, cost: logits.columns * 8) { range in
            for row in range { route(logits.row(row), logits.columns, parameters, into: routing, row: row) }
        }
        routing.group(rows: rows, expertCount: logits.columns)
    }

    package func routeToAll(rows: Int, into routing: ExpertRouting) {
        let routing = unsafeDowncast(routing, to: CPUExpertRouting.self)
        for choice in 0..<rows * routing.expertsUsed {
            routing.experts[choice] = Int32(choice % routing.expertsUsed)
            routing.weights[choice] = 1
        }
        routing.group(rows: rows, expertCount: routing.expertsUsed)
    }

    private func route(
        _ logits: UnsafeMutablePointer<Float>, _ count: Int, _ parameters: RoutingParameters,
        into routing: CPUExpertRouting, row: Int
    ) {
        let used = routing.expertsUsed
        let experts = routing.experts + row * used
        let weights = routing.weights + row * used
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * count) { buffer in
            guard let scores = buffer.baseAddress else { return }
            // What the choice is made by.
            let keys = scores + count
            scores.initialize(from: logits, count: count)
            var sum: Float = 1
            switch parameters.gating {
            case .softmaxThenTop: sum = kernels.softmax(count, scores, scale: 1, cap: 0, sink: -.infinity)
            case .topThenSoftmax: break
            case .sigmoid: kernels.gate(count, scores, nil, .sigmoid, into: scores)
            }
            // A softmax's numerators have the order of the logits, but rounding can make ties of them.
            keys.initialize(from: parameters.gating == .sigmoid ? scores : logits, count: count)
            if let bias = parameters.selectionBias?.values {
                for expert in 0..<count { keys[expert] = scores[expert] / sum + bias[expert] }
            } else if parameters.groupCount > 1, parameters.gating == .softmaxThenTop {
                // Groups are chosen by sums, which probabilities and logits do not order alike.
                for expert in 0..<count { keys[expert] = scores[expert] / sum }
            }
            if parameters.groupCount > 1 { hideUnusedGroups(keys, count, parameters) }
            chooseLargest(used, of: keys, count, into: experts)
            for choice in 0..<used { weights[choice] = scores[Int(experts[choice])] / sum }
        }
        if parameters.gating == .topThenSoftmax {
            let sum = kernels.softmax(used, weights, scale: 1, cap: 0, sink: -.infinity)
            for choice in 0..<used { weights[choice] /= sum }
        }
        if parameters.normalisesWeights {
            var sum: Float = 0
            for choice in 0..<used { sum += weights[choice] }
            if sum < parameters.smallestSum { sum = parameters.smallestSum }
            for choice in 0..<used { weights[choice] /= sum }
        }
        for choice in 0..<used { weights[choice] *= parameters.weightScale }
        if let scales = parameters.expertScales?.values {
            for choice in 0..<used { weights[choice] *= scales[Int(experts[choice])] }
        }
    }

    /// The `used` experts with the largest keys, the largest first; of equal keys the lower expert.
    private func chooseLargest(
        _ used: Int, of keys: UnsafePointer<Float>, _ count: Int, into experts: UnsafeMutablePointer<Int32>
    ) {
        withUnsafeTemporaryAllocation(of: Bool.self, capacity: count) { isTaken in
            isTaken.initialize(repeating: false)
            for choice in 0..<used {
                var best = -1
                for expert in 0..<count where !isTaken[expert] && (best < 0 || keys[expert] > keys[best]) {
                    best = expert
                }
                guard best >= 0 else { return }
                isTaken[best] = true
                experts[choice] = Int32(best)
            }
        }
    }

    /// Makes the keys of all experts outside the best groups −∞.
    private func hideUnusedGroups(
        _ keys: UnsafeMutablePointer<Float>, _ count: Int, _ parameters: RoutingParameters
    ) {
        let size = count / parameters.groupCount
        let values = (0..<parameters.groupCount).map { group in
            var (first, second) = (-Float.infinity, -Float.infinity)
            for expert in group * size..<(group + 1) * size {
                if keys[expert] > first {
                    (first, second) = (keys[expert], first)
                } else if keys[expert] > second {
                    second = keys[expert]
                }
            }
            return size > 1 ? first + second : first
        }
        let order = values.indices.sorted { values[$0] > values[$1] || values[$0] == values[$1] && $0 < $1 }
        for group in order.dropFirst(parameters.groupsUsed) {
            for expert in group * size..<(group + 1) * size { keys[expert] = -.infinity }
        }
    }

    package func multiplyExperts(_ x: Activations, rows: Int, _ projections: [Projection], _ routing: ExpertRouting) {
        let routing = unsafeDowncast(routing, to: CPUExpertRouting.self)
        let isPerChoice = x.rows >= routing.rows * routing.expertsUsed
        scratch.withLock { scratch in
            var inputs = UnsafeRawPointer(x.row(0))
            var format = InputFormat.float
            for projection in projections {
                let weight = projection.matrix
                if weight.input != format {
                    format = weight.input
                    inputs = prepare(
                        x, rows: isPerChoice ? rows * routing.expertsUsed : rows, as: format, in: scratch.inputs.base)
                }
                multiplyExperts(
                    inputs, stride: format.rowBytes(x.columns), projection, weight, routing,
                    inputRows: isPerChoice ? routing.choices : routing.choiceRows)
            }
        }
    }

    private func multiplyExperts(
        _ inputs: UnsafeRawPointer, stride: Int, _ projection: Projection, _ weight: CPUWeightMatrix,
        _ routing: CPUExpertRouting, inputRows: UnsafePointer<Int32>
    ) {
        let starts = routing.starts
        let chosen = (0..<weight.experts).filter { starts[$0 + 1] > starts[$0] }
        let panelRows = weight.kernel.chunkRows
        let panelsEach = (weight.rows + panelRows - 1) / panelRows
        let chunks = RowChunks(panels: chosen.count * panelsEach, panelRows: panelRows, threads: threads)
        let output = projection.output
        pool.run(chunks.count) { chunk, _ in
            var left = chunks.panels(of: chunk)
            while !left.isEmpty {
                let (index, panel) = left.lowerBound.quotientAndRemainder(dividingBy: panelsEach)
                let panels = panel..<min(panel + left.count, panelsEach)
                left.removeFirst(panels.count)
                let range = panel * panelRows..<min(panels.upperBound * panelRows, weight.rows)
                let expert = chosen[index]
                let choices = starts[expert]..<starts[expert + 1]
                weight.multiply(
                    range, expert: expert, columns: choices.count, inputs: inputs, inputStride: stride,
                    inputRows: inputRows + choices.lowerBound, outputs: output.row(0), outputStride: output.columns,
                    outputRows: routing.choices + choices.lowerBound)
                guard let bias = projection.bias?.values else { continue }
                for choice in choices {
                    addBias(bias + expert * weight.rows, range, to: output.row(Int(routing.choices[choice])))
                }
            }
        }
    }

    package func combineExperts(_ x: Activations, rows: Int, _ routing: ExpertRouting, into y: Activations) {
        let routing = unsafeDowncast(routing, to: CPUExpertRouting.self)
        let used = routing.expertsUsed
        forEachRange(rows, cost: x.columns * used) { range in
            for row in range {
                y.row(row).update(repeating: 0, count: y.columns)
                for choice in row * used..<(row + 1) * used {
                    kernels.addScaled(x.columns, x.row(choice), scale: routing.weights[choice], to: y.row(row))
                }
            }
        }
    }
}

/// The experts and weights chosen for each row, and for each expert the list of (row, choice) pairs that chose it.
package final class CPUExpertRouting: ExpertRouting, @unchecked Sendable {
    private let memory: AlignedMemory
    /// Weight and expert of choice j of row i, at index i · used + j.
    let weights: UnsafeMutablePointer<Float>
    let experts: UnsafeMutablePointer<Int32>
    /// The indices i · used + j of all choices, grouped by expert, ascending; and their rows i.
    let choices: UnsafeMutablePointer<Int32>
    let choiceRows: UnsafeMutablePointer<Int32>
    /// The part of both lists that belongs to expert e is `starts[e]..<starts[e + 1]`.
    private(set) var starts: [Int] = []

    /// Memory for the choices of `rows` rows.
    init(capacity rows: Int, expertsUsed: Int) throws(InferenceError) {
        memory = try AlignedMemory(bytes: rows, expertsUsed, 16, for: "the routing of experts")
        let count = rows * expertsUsed
        weights = memory.floats
        experts = (memory.base + 4 * count).assumingMemoryBound(to: Int32.self)
        choices = experts + count
        choiceRows = choices + count
        super.init(rows: rows, expertsUsed: expertsUsed)
    }

    /// Builds the lists from the experts of the first `rows` rows, of `expertCount` experts in all.
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
