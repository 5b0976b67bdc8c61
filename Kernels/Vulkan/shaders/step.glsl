// Which tokens a row of a step sees: see Sources/Tensors/StepLayout.swift.

// Of row i: its depth; and of a tree, where its path begins among the paths.
#define LOGICAL_POSITION(row) uint(p.committed + p.depths.at[row])

// The first logical position that a token at `position` sees; a window of 0 reaches back to the beginning.
uint firstVisible(uint position, uint window) {
    return window > 0 && position + 1 > window ? position + 1 - window : 0;
}
