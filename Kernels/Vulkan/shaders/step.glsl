// Which tokens a row of a step sees; see Sources/Tensors/SegmentLayout.swift.

// The logical position of a row: the committed tokens and its depth.
#define LOGICAL_POSITION(row) uint(p.committed + p.depths.at[row])

// The first logical position that a token at `position` sees. A window of 0 means no limit.
uint firstVisible(uint position, uint window) {
    return window > 0 && position + 1 > window ? position + 1 - window : 0;
}
