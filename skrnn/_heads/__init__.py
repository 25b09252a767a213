"""Heads: y <-> scores.

Modules may import those above them in this list, and lower layers of the package.

    head          what all heads have in common
    classes       one class label for each sequence
    tags          a tag, or class label, for each step
    chain         the same, where a tag depends on those beside it
    labels        any number of labels for each sequence
    numbers       one or more numbers for each sequence
    next_step     the next step, after each step; without y
    language      the same from the first token on, and perhaps the end
    density       the next step of a series, or its end
    transduction  another sequence, token by token
    ctc           the same, emitted by the steps
    task          what y is, and which head predicts it
    opening       the containers of y and sample_weight
    validation    y and sample_weight as arrays, checked against X
    ragged        the same with an entry for each step
    later         y of a chunk or of validation data, checked against a head
    chunks        heads for learning chunk by chunk
    class_weight  weights of sequences multiplied by those of their classes
    counts        what is counted of y in parts, to learn the head of all of it
"""
