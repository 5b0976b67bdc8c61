// What each command becomes on a Vulkan device: a shader, its specialisation constants, its parameters and its workgroups.

import InferTensors

/// Maps commands to dispatches.
///
/// The parameters stand in the order of `Parameters` in the shader, the constants in the order of their identifiers. How many
/// threads a workgroup has is fixed in each shader (`local_size_x`) and repeated here.
struct ShaderTable {
    let tiling: DeviceTiling

    func dispatch(for command: DeviceCommand) -> Dispatch {
        switch command {
        case .embed(let embedding): embed(embedding)
        case .gather(let gathering): gather(gathering)
        case .normalize(let norm): normalize(norm)
        case .round(let x, let rows, let rounding): round(x, rows: rows, rounding)
        case .multiply(let product): multiply(product)
        case .activate(let activation): activate(activation)
        case .add(let addition): add(addition)
        case .addGroups(let addition): addGroups(addition)
        case .scale(let scaling): scale(scaling)
        case .copyColumns(let copy): copyColumns(copy)
        case .route(let choice): route(choice)
        case .routeToAll(let experts, let rows): routeToAll(experts, rows: rows)
        case .combineExperts(let combination): combineExperts(combination)
        case .rotate(let target, let rotations): rotate(target, rotations)
        case .store(let storing): store(storing)
        case .moveSlots(let moves): moveSlots(moves)
        case .score(let scores, let attention): score(scores, attention)
        case .attend(let rows, let attention): attend(rows, attention)
        case .combineChunks(let rows, let attention): combineChunks(rows, attention)
        case .convolve(let convolution): convolve(convolution)
        case .scan(let scanning): scan(scanning)
        case .keepInputs(let keeping): keepInputs(keeping)
        case .shiftWindows(let shift): shiftWindows(shift)
        case .findMaxima(let search): findMaxima(search)
        case .findTopTokens(let search): findTopTokens(search)
        case .sumSoftmaxBlocks(let sum): sumSoftmaxBlocks(sum)
        case .sumSoftmax(let sum): sumSoftmax(sum)
        }
    }

    // MARK: Rows

    private func embed(_ embedding: Embedding) -> Dispatch {
        let (table, x) = (embedding.table, embedding.x)
        var shader = ShaderVariant(.embed)
        switch table.encoding {
        case .quantized(let layout): shader.append(constants(layout) + [0])
        case .floats(let element): shader.append([0, 0, 0, 0, 0, 0, 0, 0, number(element) + 1])
        }
        return Dispatch(
            shader,
            PushConstants(
                [table.low, table.high, table.scales, table.factors, embedding.tokens, x.address],
                [table.pieces, x.columns, x.stride], [embedding.scale]),
            groups: groups(table.pieces, 64), embedding.rows)
    }

    private func gather(_ gathering: Gathering) -> Dispatch {
        let fours = gathering.x.stride / 4
        return Dispatch(
            ShaderVariant(.gather),
            PushConstants([gathering.x.address, gathering.y.address, gathering.indices], [fours]),
            groups: groups(fours, 64), gathering.rows)
    }

    private func normalize(_ norm: NormOperation) -> Dispatch {
        // The shader's parameters begin with its last norm; the earlier one, if there are two, comes behind.
        let first = norm.first, last = norm.second ?? first, addition = norm.addition, rounding = norm.rounding
        let x = addition?.x ?? first.x, y = addition == nil ? first.y : norm.second?.y
        return Dispatch(
            ShaderVariant(
                .normalize, flag(rounding?.isSuper == true), flag(first.isCentred), flag(first.bias != nil),
                flag(rounding != nil), flag(addition != nil), flag(y != nil)),
            PushConstants(
                [
                    x.address, y?.address ?? 0, last.weight, last.bias ?? 0, rounding?.inputs ?? 0, first.x.address,
                    first.y.address, first.weight, first.bias ?? 0,
                ], [first.width, first.weightCount, x.stride, y?.stride ?? 0, first.x.stride, first.y.stride],
                [last.epsilon, first.epsilon, addition?.scale ?? 1]),
            groups: first.x.columns / first.width, norm.rows)
    }

    private func round(_ x: DeviceRows, rows: Int, _ rounding: InputRounding) -> Dispatch {
        let fours = x.columns / 4
        return Dispatch(
            ShaderVariant(.quantize, flag(rounding.isSuper)),
            PushConstants([x.address, rounding.inputs], [fours, x.stride]), groups: groups(fours, 64), rows)
    }

    private func multiply(_ command: Products.Command) -> Dispatch {
        let product = command.product, weights = product.weights, output = product.output, sum = command.addition?.x
        let hasExperts = command.experts != nil, scale = command.addition?.scale ?? 1
        let tile = ProductTile(columns: hasExperts ? 1 : command.columns, rows: product.rows, on: tiling)
        // Where the command's inputs and outputs begin.
        let firstInput = command.firstColumn / max(1, command.sharing)
        let x = command.x.dropFirst(firstInput), outputs = output.dropFirst(command.firstColumn).address
        let experts = command.experts.map { $0 + UInt64(4 * command.firstColumn) } ?? 0
        let choices = [
            UInt32(tile.rows), UInt32(tile.columns), flag(hasExperts), flag(product.bias != nil), flag(sum != nil),
            flag(x.rowsOfLine > 1 || output.rowsOfLine > 1),
        ]
        let groups = tile.groups(rows: product.rows, columns: command.columns)
        switch weights.encoding {
        case .quantized(let layout):
            var shader = ShaderVariant(.multiplyQuantized)
            shader.append(constants(layout))
            shader.append(choices)
            return Dispatch(
                shader,
                PushConstants(
                    [
                        weights.low, weights.high, weights.scales, weights.factors,
                        command.inputs + UInt64(firstInput * weights.pieces * InputRounding.groupBytes), outputs,
                        product.bias ?? 0, experts, sum?.address ?? 0,
                    ],
                    [
                        weights.pieces, product.rows, command.columns, output.stride, command.sharing,
                        sum?.stride ?? 0,
                    ], [scale], [output.rowsOfLine, output.lineStride]),
                groups: groups.x, groups.y, groups.z)
        case .floats(let element):
            var shader = ShaderVariant(.multiplyFloat, number(element), 0, 0, 0, 0, 0, 0, 0)
            shader.append(choices)
            return Dispatch(
                shader,
                PushConstants(
                    [
                        weights.low, x.address, outputs, product.bias ?? 0, experts, sum?.address ?? 0,
                    ],
                    [
                        weights.pieces, product.rows, command.columns, x.stride, output.stride, command.sharing,
                        sum?.stride ?? 0,
                    ], [scale],
                    [x.columns, x.rowsOfLine, x.lineStride, output.rowsOfLine, output.lineStride]),
                groups: groups.x, groups.y, groups.z)
        }
    }

    private func activate(_ operation: ActivationOperation) -> Dispatch {
        let gate = operation.gate, up = operation.up, y = operation.y
        let function: Shader.ElementwiseFunction =
            switch operation.activation {
            case .silu: .silu
            case .gelu: .gelu
            case .clampedSwiGLU: .clampedSwiGLU
            case .identity: .identity
            case .sigmoid: .sigmoid
            case .softplus: .softplus
            case .squaredReLU: .squaredReLU
            }
        guard let rounding = operation.rounding else {
            return elementwise(function, gate, up, into: y, rows: operation.rows)
        }
        let fours = gate.columns / 4
        return Dispatch(
            ShaderVariant(.activateRounded, flag(rounding.isSuper), flag(up != nil), function.rawValue),
            PushConstants(
                [gate.address, up?.address ?? 0, y.address, rounding.inputs],
                [fours, gate.stride, up?.stride ?? 0, y.stride]),
            groups: groups(fours, 64), operation.rows)
    }

    private func add(_ addition: Addition) -> Dispatch {
        elementwise(.addScaled, addition.y, nil, into: addition.x, rows: addition.rows, scalar: addition.scale)
    }

    private func addGroups(_ addition: GroupAddition) -> Dispatch {
        let (y, x) = (addition.y, addition.x)
        return elementwise(
            .addGroups, y, vector: addition.factors, into: x, rows: addition.rows, groups: addition.count)
    }

    private func scale(_ scaling: RowScaling) -> Dispatch {
        let (x, rows) = (scaling.x, scaling.rows)
        return switch scaling.function {
        case .scale(let factor): elementwise(.scale, x, nil, into: x, rows: rows, scalar: factor)
        case .scaleRows(let factors):
            elementwise(
                .scaleRows, x, vector: factors.address, stride: factors.stride, into: x, rows: rows,
                groups: factors.columns)
        case .decay(let rates, let count): elementwise(.decay, x, vector: rates, into: x, rows: rows, groups: count)
        case .softCap(let cap): elementwise(.softCap, x, nil, into: x, rows: rows, scalar: cap)
        }
    }

    private func elementwise(
        _ function: Shader.ElementwiseFunction, _ a: DeviceRows, _ b: DeviceRows?, into y: DeviceRows, rows: Int,
        scalar: Float = 1
    ) -> Dispatch {
        Dispatch(
            ShaderVariant(.elementwise, function.rawValue, flag(b != nil), 0),
            PushConstants(
                [a.address, b?.address ?? 0, y.address, 0], [a.columns, a.stride, b?.stride ?? 0, y.stride, 0, 1],
                [scalar]),
            groups: groups(a.columns, 128), rows)
    }

    /// An operation with one value of `vector` for each of `count` equal groups of columns.
    private func elementwise(
        _ function: Shader.ElementwiseFunction, _ a: DeviceRows, vector: DeviceAddress, stride: Int = 0,
        into y: DeviceRows, rows: Int, groups count: Int
    ) -> Dispatch {
        Dispatch(
            ShaderVariant(.elementwise, function.rawValue, 0, 0),
            PushConstants(
                [a.address, vector, y.address, 0], [a.columns, a.stride, stride, y.stride, 0, a.columns / count], [1]),
            groups: groups(a.columns, 128), rows)
    }

    private func copyColumns(_ copy: RowCopy) -> Dispatch {
        let (x, y, columns) = (copy.x, copy.y, copy.columns)
        return Dispatch(
            ShaderVariant(.copyColumns),
            PushConstants(
                [x.address, y.address],
                [
                    columns.count, columns.length, columns.source, columns.sourceStride, columns.target,
                    columns.targetStride, x.stride, y.stride,
                ]),
            groups: groups(columns.count * columns.length, 64), copy.rows)
    }

    // MARK: Experts

    private func route(_ choice: ExpertChoice) -> Dispatch {
        let (logits, parameters, experts) = (choice.logits, choice.parameters, choice.experts)
        let gating: Shader.Gating =
            switch parameters.gating {
            case .topThenSoftmax: .topThenSoftmax
            case .softmaxThenTop: .softmaxThenTop
            case .sigmoid: .sigmoid
            }
        return Dispatch(
            ShaderVariant(
                .route, gating.rawValue, flag(parameters.normalisesWeights), UInt32(logits.columns),
                UInt32(parameters.groupCount), flag(choice.selectionBias != nil), flag(choice.expertScales != nil)),
            PushConstants(
                [
                    logits.address, experts.experts, experts.weights, choice.selectionBias ?? 0,
                    choice.expertScales ?? 0,
                ], [experts.used, logits.stride, parameters.groupsUsed],
                [parameters.weightScale, parameters.smallestSum]),
            groups: choice.rows)
    }

    private func routeToAll(_ experts: DeviceExperts, rows: Int) -> Dispatch {
        Dispatch(
            ShaderVariant(.route, Shader.Gating.all.rawValue),
            PushConstants([0, experts.experts, experts.weights, 0, 0], [experts.used, 0, 0], [1, 0]), groups: rows)
    }

    private func combineExperts(_ combination: ExpertCombination) -> Dispatch {
        let (x, y, experts, sum) = (combination.x, combination.y, combination.experts, combination.addition?.x)
        return Dispatch(
            ShaderVariant(
                .elementwise, Shader.ElementwiseFunction.combineExperts.rawValue, 0, flag(sum != nil)),
            PushConstants(
                [x.address, experts.weights, y.address, sum?.address ?? 0],
                [x.columns, x.stride, 0, y.stride, sum?.stride ?? 0, experts.used],
                [combination.addition?.scale ?? 1]),
            groups: groups(x.columns, 128), combination.rows)
    }

    // MARK: Rotation and the key–value cache

    private func rotate(_ target: DeviceRows, _ rotations: Rotations) -> Dispatch {
        Dispatch(
            ShaderVariant(.rotate, flag(rotations.pairing == .halves)),
            PushConstants(
                [target.address, rotations.angles.address],
                [
                    rotations.pairs, rotations.heads(of: target), rotations.headDimension, rotations.offset,
                    target.stride, rotations.angles.stride,
                ]),
            groups: rotationGroups(target, rotations), rotations.rows)
    }

    /// Workgroups for a row of `target`: one thread for each pair.
    private func rotationGroups(_ target: DeviceRows, _ rotations: Rotations) -> Int {
        groups(rotations.pairs * rotations.heads(of: target), 64)
    }

    private func store(_ storing: Storing) -> Dispatch {
        let (keys, values, shape) = (storing.keys, storing.values, storing.shape)
        let (keyCache, valueCache) = (storing.keyCache, storing.valueCache)
        let (rotations, queries) = (storing.rotations, storing.queries)
        var pairing = Shader.StoredPairing.unrotated
        var pairs = 0, queryHeads = 0, queryGroups = 0
        if let rotations {
            pairing = rotations.pairing == .halves ? .halves : .adjacent
            pairs = rotations.pairs
            if let queries {
                queryHeads = rotations.heads(of: queries)
                queryGroups = rotationGroups(queries, rotations)
            }
        }
        /// Workgroups for a row: one thread for each pair, and for each element, or block of elements, outside the pairs.
        func storingGroups(_ row: CacheRowLayout, pairs: Int) -> Int {
            let pieces = (shape.type == .q8_0 ? row.dimension / 32 : row.dimension) - pairs
            return groups(pieces * shape.heads, 64)
        }
        let keyGroups = storingGroups(keyCache.row, pairs: pairs)
        return Dispatch(
            ShaderVariant(.store, number(shape.type), pairing.rawValue),
            PushConstants(
                [
                    queries?.address ?? 0, keys.address, values.address, rotations?.angles.address ?? 0,
                    keyCache.address, keyCache.scaleAddress, valueCache.address, valueCache.scaleAddress,
                ],
                [
                    pairs, rotations?.angles.stride ?? 0, queryHeads, queries?.stride ?? 0, shape.heads, shape.slots,
                    storing.firstSlot, keyCache.row.dimension, keyCache.row.padded, keys.stride,
                    valueCache.row.dimension, valueCache.row.padded, values.stride, queryGroups, keyGroups,
                ]),
            groups: queryGroups + keyGroups + storingGroups(valueCache.row, pairs: 0), storing.rows)
    }

    private func moveSlots(_ moves: SlotMoves) -> Dispatch {
        // The shader copies units of 16 bits.
        let units = moves.slotBytes / 2
        return Dispatch(
            ShaderVariant(.moveSlots), PushConstants([moves.address, moves.moves], [moves.count, moves.slots, units]),
            groups: groups(units, 64), moves.heads)
    }

    // MARK: Attention

    private func score(_ scores: AttentionOperation.Scores, _ attention: AttentionOperation) -> Dispatch {
        let (queries, keys, paths, shape) = (attention.queries, attention.keys, attention.paths, attention.shape)
        let (rows, tokens) = (scores.rows, scores.tokens)
        let tile = AttentionTile(rows: rows.count, headsPerKey: attention.headsPerKey, on: tiling)
        // As `query` in `attend_scores.comp`.
        let room = max(1, tiling.sharedBytes / (4 * keys.row.padded))
        let queriesOfGroup = scores.isTree ? 1 : min(tile.queries, room), keysOfThread = queriesOfGroup < 4 ? 1 : 4
        return Dispatch(
            ShaderVariant(
                .attendScores, number(shape.type), UInt32(shape.keyDimension), UInt32(queriesOfGroup),
                UInt32(keysOfThread), flag(scores.isTree)),
            PushConstants(
                [
                    queries.address, keys.address, keys.scaleAddress, attention.scores, paths.depths,
                    paths.pathStarts, paths.paths,
                ],
                [
                    queries.stride, attention.visible, attention.heads, attention.headsPerKey, shape.slots,
                    attention.layout.committed, attention.window, rows.lowerBound, rows.count, tokens.lowerBound,
                    tokens.upperBound,
                ]),
            groups: groups(tokens.count, 64 * keysOfThread), shape.heads,
            groups(rows.count * attention.headsPerKey, queriesOfGroup))
    }

    private func attend(_ rows: Range<Int>, _ attention: AttentionOperation) -> Dispatch {
        let (outputs, values, paths, shape) = (attention.outputs, attention.values, attention.paths, attention.shape)
        let tile = AttentionTile(rows: rows.count, headsPerKey: attention.headsPerKey, on: tiling)
        let chunks = AttentionWork.chunks(attention.visible)
        let queryGroups = groups(rows.count * attention.headsPerKey, tile.queries)
        let columnGroups = tile.columnGroups(
            columns: values.row.padded, otherGroups: chunks * shape.heads * queryGroups)
        return Dispatch(
            ShaderVariant(.attendValues, number(shape.type), UInt32(tile.queries)),
            PushConstants(
                [
                    attention.scores, values.address, values.scaleAddress, outputs.address, attention.sinks ?? 0,
                    paths.depths, paths.pathStarts, paths.paths,
                ],
                [
                    shape.valueDimension, outputs.stride, attention.visible, attention.heads, attention.headsPerKey,
                    shape.slots, attention.layout.committed, attention.window, rows.lowerBound, rows.count,
                    columnGroups, attention.layout.isChain ? 0 : 1, attention.sinks == nil ? 0 : 1,
                ], [attention.scale, attention.softCap ?? 0]),
            groups: chunks * columnGroups, shape.heads, queryGroups)
    }

    private func combineChunks(_ rows: Range<Int>, _ attention: AttentionOperation) -> Dispatch {
        let dimension = attention.shape.valueDimension
        return Dispatch(
            ShaderVariant(.attendCombine),
            PushConstants(
                [attention.scores, attention.outputs.address, attention.sinks ?? 0, attention.paths.depths],
                [
                    dimension, attention.outputs.stride, attention.visible, attention.heads,
                    attention.layout.committed, attention.window, rows.lowerBound, rows.count,
                    attention.sinks == nil ? 0 : 1,
                ]),
            groups: groups(dimension, 64), attention.heads, rows.count)
    }

    // MARK: Recurrent layers

    private func convolve(_ convolution: Convolution) -> Dispatch {
        let (x, y, layout, paths) = (convolution.x, convolution.y, convolution.layout, convolution.paths)
        let certain = convolution.certainRows, window = convolution.window
        return Dispatch(
            ShaderVariant(
                .convolve, flag(!layout.isChain), flag(convolution.bias != nil), flag(convolution.activates)),
            PushConstants(
                [
                    x.address, y.address, convolution.weight, convolution.bias ?? 0, convolution.current.address,
                    convolution.next.address, convolution.kept?.address ?? 0, paths.depths, paths.pathStarts,
                    paths.paths,
                ],
                [
                    x.columns, window, layout.count, convolution.kept == nil ? layout.count : certain, x.stride,
                    y.stride, convolution.kept?.stride ?? 0,
                ]),
            groups: groups(x.columns, 64), layout.count + (certain > 0 ? window : 0))
    }

    private func scan(_ scanning: Scanning) -> Dispatch {
        let (parameters, queries, outputs) = (scanning.parameters, scanning.queries, scanning.outputs)
        let (keys, values, decays, betas) = (scanning.keys, scanning.values, scanning.decays, scanning.betas)
        let columns = tiling.columnsOfScan(keyLength: parameters.keyLength)
        let share = parameters.heads / max(1, parameters.keyHeads)
        return Dispatch(
            ShaderVariant(
                .scan, UInt32(parameters.keyLength), UInt32(parameters.valueLength), UInt32(columns),
                flag(parameters.decaysPerKey), flag(betas != nil), flag(parameters.keyHeadsAreTiled),
                flag(scanning.plan != nil), flag(outputs != nil)),
            PushConstants(
                [
                    queries?.address ?? 0, keys.address, values.address, decays.address, betas?.address ?? 0,
                    outputs?.address ?? 0, scanning.current.address, scanning.next.address, scanning.slots ?? 0,
                    scanning.plan ?? 0,
                ],
                [
                    queries?.stride ?? 0, keys.stride, values.stride, decays.stride, betas?.stride ?? 0,
                    outputs?.stride ?? 0, scanning.certainRows, scanning.rows,
                    parameters.keyHeadsAreTiled ? parameters.keyHeads : share,
                ], [parameters.scale], [scanning.layerStride, scanning.inputLayerStride]),
            groups: groups(parameters.valueLength, max(1, columns)), parameters.heads, scanning.layers)
    }

    private func keepInputs(_ keeping: InputKeeping) -> Dispatch {
        let (keys, values, decays, betas) = (keeping.keys, keeping.values, keeping.decays, keeping.betas)
        let parameters = keeping.parameters
        let counts = [
            parameters.keyHeads * parameters.keyLength, parameters.heads * parameters.valueLength,
            parameters.heads * (parameters.decaysPerKey ? parameters.keyLength : 1),
            betas == nil ? 0 : parameters.heads,
        ]
        return Dispatch(
            ShaderVariant(.keepInputs),
            PushConstants(
                [keys.address, values.address, decays.address, betas?.address ?? 0, keeping.kept.address],
                counts + [keys.stride, values.stride, decays.stride, betas?.stride ?? 0, keeping.kept.stride]),
            groups: groups(counts.reduce(0, +), 64), keeping.rows)
    }

    private func shiftWindows(_ shift: WindowShift) -> Dispatch {
        Dispatch(
            ShaderVariant(.shiftWindows),
            PushConstants(
                [shift.inputs.address, shift.kept.address, shift.plan],
                [
                    shift.channels, shift.window, shift.rowCount, shift.layerStride, shift.keptLayerStride,
                    shift.kept.stride,
                ]),
            groups: groups(shift.channels, 64), shift.layers)
    }

    // MARK: Logits

    private func findMaxima(_ search: TopTokenSearch) -> Dispatch {
        Dispatch(
            ShaderVariant(.blockMaxima),
            PushConstants(
                [search.logits.address, search.maxima.address],
                [search.tokenCount, search.logits.stride, search.maxima.stride]),
            groups: logitGroups(search.tokenCount), search.rows)
    }

    private func findTopTokens(_ search: TopTokenSearch) -> Dispatch {
        Dispatch(
            ShaderVariant(.topTokens),
            PushConstants(
                [search.logits.address, search.maxima.address, search.keys.address],
                [
                    search.tokenCount, search.logits.stride, search.maxima.stride, keyStride(search.keys),
                    search.count,
                ]),
            groups: search.rows)
    }

    private func sumSoftmaxBlocks(_ sum: SoftmaxSum) -> Dispatch {
        Dispatch(
            ShaderVariant(.softmaxBlocks),
            PushConstants(
                [sum.logits.address, sum.keys.address, sum.blocks.address],
                [sum.tokenCount, sum.logits.stride, keyStride(sum.keys), sum.blocks.stride], [sum.scale]),
            groups: logitGroups(sum.tokenCount), sum.rows)
    }

    private func sumSoftmax(_ sum: SoftmaxSum) -> Dispatch {
        Dispatch(
            ShaderVariant(.softmaxSums),
            PushConstants(
                [sum.logits.address, sum.keys.address, sum.blocks.address, sum.sums.address],
                [
                    sum.tokenCount, sum.logits.stride, keyStride(sum.keys), sum.blocks.stride, sum.sums.stride,
                    sum.count,
                ], [sum.scale]),
            groups: sum.rows)
    }

    /// Workgroups for a row of logits: 128 threads of four logits each.
    private func logitGroups(_ tokenCount: Int) -> Int { groups(tokenCount, 512) }

    /// Keys of eight bytes between the beginnings of two rows.
    private func keyStride(_ keys: DeviceRows) -> Int { keys.stride / 2 }

    // MARK: Numbers

    /// Workgroups of `size` for `count`.
    private func groups(_ count: Int, _ size: Int) -> Int { (count + size - 1) / size }

    private func flag(_ value: Bool) -> UInt32 { value ? 1 : 0 }

    private func number(_ element: DeviceWeights.FloatElement) -> UInt32 {
        let element: Shader.Element =
            switch element {
            case .f32: .f32
            case .f16: .f16
            case .bf16: .bf16
            }
        return element.rawValue
    }

    private func number(_ type: KVCacheType) -> UInt32 {
        let element: Shader.Element =
            switch type {
            case .f32: .f32
            case .f16: .f16
            case .q8_0: .q8_0
            }
        return element.rawValue
    }

    /// The constants of `weights.glsl`, with identifiers 0 to 7.
    private func constants(_ layout: PlaneLayout) -> [UInt32] {
        let codebook: Shader.Codebook =
            layout.codebook.isEmpty ? .none : layout.hasWideFactors ? .mxfp4 : .iq4_nl
        return [
            UInt32(layout.lowBits), UInt32(layout.highBits), UInt32(bitPattern: Int32(layout.offset)),
            codebook.rawValue, flag(layout.isSuper), flag(layout.hasMinimum), UInt32(max(1, layout.scales)),
            flag(layout.hasWideFactors),
        ]
    }
}
