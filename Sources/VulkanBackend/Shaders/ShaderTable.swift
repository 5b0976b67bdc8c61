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
        case .scale(let scaling): scale(scaling)
        case .route(let choice): route(choice)
        case .combineExperts(let combination): combineExperts(combination)
        case .rotate(let target, let rotations): rotate(target, rotations)
        case .store(let storing): store(storing)
        case .moveSlots(let moves): moveSlots(moves)
        case .score(let scores, let attention): score(scores, attention)
        case .attend(let rows, let attention): attend(rows, attention)
        case .combineChunks(let rows, let attention): combineChunks(rows, attention)
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
                ], [first.width, x.stride, y?.stride ?? 0, first.x.stride, first.y.stride],
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
        let choices = [
            UInt32(tile.rows), UInt32(tile.columns), flag(hasExperts), flag(product.bias != nil), flag(sum != nil),
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
                        weights.low, weights.high, weights.scales, weights.factors, command.inputs, output.address,
                        product.bias ?? 0, command.experts ?? 0, sum?.address ?? 0,
                    ],
                    [
                        weights.pieces, product.rows, command.columns, output.stride, command.sharing,
                        sum?.stride ?? 0,
                    ], [scale]),
                groups: groups.x, groups.y, groups.z)
        case .floats(let element):
            var shader = ShaderVariant(.multiplyFloat, number(element), 0, 0, 0, 0, 0, 0, 0)
            shader.append(choices)
            return Dispatch(
                shader,
                PushConstants(
                    [
                        weights.low, command.x.address, output.address, product.bias ?? 0, command.experts ?? 0,
                        sum?.address ?? 0,
                    ],
                    [
                        weights.pieces, product.rows, command.columns, command.x.stride, output.stride,
                        command.sharing, sum?.stride ?? 0,
                    ], [scale]),
                groups: groups.x, groups.y, groups.z)
        }
    }

    private func activate(_ operation: ActivationOperation) -> Dispatch {
        let gate = operation.gate, up = operation.up, y = operation.y
        let function: Shader.ElementwiseFunction =
            switch operation.activation {
            case .silu: .silu
            case .gelu: .gelu
            // The others are refused before.
            case .clampedSwiGLU, .identity, .sigmoid, .softplus, .squaredReLU: .clampedSwiGLU
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

    private func scale(_ scaling: RowScaling) -> Dispatch {
        let (x, rows) = (scaling.x, scaling.rows)
        return switch scaling.function {
        case .scale(let factor): elementwise(.scale, x, nil, into: x, rows: rows, scalar: factor)
        case .scaleRows(let factors): elementwise(.scaleRows, x, factors, into: x, rows: rows, isGated: false)
        case .softCap(let cap): elementwise(.softCap, x, nil, into: x, rows: rows, scalar: cap)
        }
    }

    private func elementwise(
        _ function: Shader.ElementwiseFunction, _ a: DeviceRows, _ b: DeviceRows?, into y: DeviceRows, rows: Int,
        scalar: Float = 1, isGated: Bool = true
    ) -> Dispatch {
        Dispatch(
            ShaderVariant(.elementwise, function.rawValue, flag(isGated && b != nil), 0),
            PushConstants(
                [a.address, b?.address ?? 0, y.address, 0], [a.columns, a.stride, b?.stride ?? 0, y.stride, 0, 1],
                [scalar]),
            groups: groups(a.columns, 128), rows)
    }

    // MARK: Experts

    private func route(_ choice: ExpertChoice) -> Dispatch {
        let (logits, parameters, experts) = (choice.logits, choice.parameters, choice.experts)
        return Dispatch(
            ShaderVariant(.route, flag(parameters.gating == .softmaxThenTop), flag(parameters.normalisesWeights)),
            PushConstants(
                [logits.address, experts.experts, experts.weights],
                [choice.rows, logits.columns, experts.used, logits.stride], [parameters.weightScale]),
            groups: groups(choice.rows, 64))
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
                    rotations.pairs, rotations.heads(of: target), rotations.headDimension, target.stride,
                    rotations.angles.stride,
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
        let queriesOfGroup = scores.isTree ? 1 : tile.queries, keysOfThread = queriesOfGroup < 4 ? 1 : 4
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
