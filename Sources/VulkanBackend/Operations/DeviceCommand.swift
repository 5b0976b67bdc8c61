// The commands that a device must implement, and the buffers that each one reads and writes.

import InferTensors

/// One command: what a device computes without a barrier inside.
enum DeviceCommand {
    // Rows
    case embed(Embedding)
    case gather(Gathering)
    case normalize(NormOperation)
    /// Rounds inputs of products to eight bits.
    case round(DeviceRows, rows: Int, InputRounding)
    case multiply(Products.Command)
    case activate(ActivationOperation)
    case add(Addition)
    case addGroups(GroupAddition)
    case scale(RowScaling)
    case copyColumns(RowCopy)
    // Experts
    case route(ExpertChoice)
    /// Chooses all experts for each of some rows.
    case routeToAll(DeviceExperts, rows: Int)
    case combineExperts(ExpertCombination)
    // Attention
    /// Rotates one of the targets.
    case rotate(DeviceRows, Rotations)
    case store(Storing)
    case moveSlots(SlotMoves)
    case score(AttentionOperation.Scores, AttentionOperation)
    /// Softmax and sums of values over each chunk of some rows.
    case attend(Range<Int>, AttentionOperation)
    /// Adds up the chunks of those rows that have several.
    case combineChunks(Range<Int>, AttentionOperation)
    // Recurrent layers
    case convolve(Convolution)
    case scan(Scanning)
    case keepInputs(InputKeeping)
    case shiftWindows(WindowShift)
    // Logits
    case findMaxima(TopTokenSearch)
    case findTopTokens(TopTokenSearch)
    case sumSoftmaxBlocks(SoftmaxSum)
    case sumSoftmax(SoftmaxSum)

    /// Whether it does nothing.
    var isEmpty: Bool {
        switch self {
        case .embed(let embedding): embedding.rows == 0
        case .gather(let gathering): gathering.rows == 0
        case .normalize(let norm): norm.rows == 0
        case .round(_, let rows, _): rows == 0
        case .multiply(let product): product.columns == 0
        case .activate(let activation): activation.rows == 0
        case .add(let addition): addition.rows == 0
        case .addGroups(let addition): addition.rows == 0
        case .scale(let scaling): scaling.rows == 0
        case .copyColumns(let copy): copy.rows == 0 || copy.columns.count * copy.columns.length == 0
        case .route(let choice): choice.rows == 0
        case .routeToAll(_, let rows): rows == 0
        case .combineExperts(let combination): combination.rows == 0
        case .rotate(_, let rotations): rotations.rows == 0 || rotations.pairs == 0
        case .store(let storing): storing.rows == 0
        case .moveSlots(let moves): moves.count == 0 || moves.slotBytes == 0
        case .score(let scores, _): scores.rows.isEmpty || scores.tokens.isEmpty
        case .attend(let rows, _), .combineChunks(let rows, _): rows.isEmpty
        case .convolve(let convolution): convolution.layout.count == 0
        case .scan(let scanning): scanning.layers == 0 || scanning.parameters.heads == 0
        case .keepInputs(let keeping): keeping.rows == 0
        case .shiftWindows(let shift): shift.layers == 0 || shift.rowCount == 0 || shift.window == 0
        case .findMaxima(let search), .findTopTokens(let search): search.rows == 0
        case .sumSoftmaxBlocks(let sum), .sumSoftmax(let sum): sum.rows == 0
        }
    }

    /// Tells `hazards` which buffers it reads and writes. Weights, and what the host hands over with a step, are not listed: no
    /// command writes them.
    func declareAccesses(to hazards: inout HazardTracker) {
        switch self {
        case .embed(let embedding):
            hazards.write(embedding.x.buffer)
        case .gather(let gathering):
            hazards.read(gathering.x.buffer)
            hazards.write(gathering.y.buffer)
        case .normalize(let norm):
            hazards.read(norm.first.x.buffer)
            hazards.write(norm.first.y.buffer)
            if let addition = norm.addition { hazards.write(addition.x.buffer) }
            if let second = norm.second { hazards.write(second.y.buffer) }
            if let rounding = norm.rounding { hazards.write(rounding.inputs) }
        case .round(let x, _, let rounding):
            hazards.read(x.buffer)
            hazards.write(rounding.inputs)
        case .multiply(let command):
            hazards.read(command.source)
            if let experts = command.experts { hazards.read(experts) }
            hazards.write(command.product.output.buffer)
            if let addition = command.addition { hazards.write(addition.x.buffer) }
        case .activate(let activation):
            hazards.read(activation.gate.buffer)
            if let up = activation.up { hazards.read(up.buffer) }
            hazards.write(activation.y.buffer)
            if let rounding = activation.rounding { hazards.write(rounding.inputs) }
        case .add(let addition):
            hazards.read(addition.y.buffer)
            hazards.write(addition.x.buffer)
        case .scale(let scaling):
            if case .scaleRows(let factors) = scaling.function { hazards.read(factors.buffer) }
            hazards.write(scaling.x.buffer)
        case .addGroups(let addition):
            hazards.read(addition.y.buffer)
            hazards.write(addition.x.buffer)
        case .copyColumns(let copy):
            hazards.read(copy.x.buffer)
            hazards.write(copy.y.buffer)
        case .routeToAll(let experts, _):
            hazards.write(experts.experts)
        case .route(let choice):
            hazards.read(choice.logits.buffer)
            hazards.write(choice.experts.experts)
        case .combineExperts(let combination):
            hazards.read(combination.x.buffer)
            hazards.read(combination.experts.experts)
            hazards.write(combination.y.buffer)
            if let addition = combination.addition { hazards.write(addition.x.buffer) }
        case .rotate(let target, let rotations):
            hazards.read(rotations.angles.buffer)
            hazards.write(target.buffer)
        case .store(let storing):
            hazards.read(storing.keys.buffer)
            hazards.read(storing.values.buffer)
            if let rotations = storing.rotations {
                hazards.read(rotations.angles.buffer)
                for target in rotations.targets { hazards.write(target.buffer) }
            }
            hazards.write(storing.keyCache.buffer)
            hazards.write(storing.valueCache.buffer)
        case .moveSlots(let moves):
            hazards.write(moves.buffer)
        case .score(let scores, let attention):
            hazards.read(attention.queries.buffer)
            hazards.read(attention.keys.buffer)
            if !scores.isSecond { hazards.write(attention.scores) }
        case .attend(_, let attention):
            hazards.read(attention.scores)
            hazards.read(attention.values.buffer)
            if attention.hasChunks { hazards.write(attention.scores) }
            hazards.write(attention.outputs.buffer)
        case .combineChunks(_, let attention):
            hazards.read(attention.scores)
            hazards.write(attention.outputs.buffer)
        case .convolve(let convolution):
            hazards.read(convolution.x.buffer)
            hazards.read(convolution.current.buffer)
            hazards.write(convolution.y.buffer)
            if convolution.certainRows > 0 { hazards.write(convolution.next.buffer) }
            if let kept = convolution.kept { hazards.write(kept.buffer) }
        case .scan(let scanning):
            for input in [scanning.queries, scanning.keys, scanning.values, scanning.decays, scanning.betas] {
                if let input { hazards.read(input.buffer) }
            }
            hazards.read(scanning.current.buffer)
            if scanning.writesNext { hazards.write(scanning.next.buffer) }
            if let outputs = scanning.outputs { hazards.write(outputs.buffer) }
            if let slots = scanning.slots { hazards.write(slots) }
        case .keepInputs(let keeping):
            for input in [keeping.keys, keeping.values, keeping.decays, keeping.betas] {
                if let input { hazards.read(input.buffer) }
            }
            hazards.write(keeping.kept.buffer)
        case .shiftWindows(let shift):
            hazards.read(shift.kept.buffer)
            hazards.write(shift.inputs.buffer)
        case .findMaxima(let search):
            hazards.read(search.logits.buffer)
            hazards.write(search.maxima.buffer)
        case .findTopTokens(let search):
            hazards.read(search.logits.buffer)
            hazards.read(search.maxima.buffer)
            hazards.write(search.keys.buffer)
        case .sumSoftmaxBlocks(let sum):
            hazards.read(sum.logits.buffer)
            hazards.read(sum.keys.buffer)
            hazards.write(sum.blocks.buffer)
        case .sumSoftmax(let sum):
            hazards.read(sum.logits.buffer)
            hazards.read(sum.keys.buffer)
            hazards.read(sum.blocks.buffer)
            hazards.write(sum.sums.buffer)
        }
    }
}
