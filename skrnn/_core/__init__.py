"""The numerical floor: plain arrays and tensors, no estimators.

Modules may import those above them in this list, never below, and nothing
upstairs:

    descriptions  what an item of X is and what is wrong with it, in words
    sequences     any user input -> one flat array with offsets
    packing       a batch in step order, without padding
    prefixes      what token sequences begin with in common
    series        numbers, standardised, none missing
    ngrams        the n-grams that end at each step
    vocabulary    token or n-gram -> id
    threads       threads over sequences, one intra-op thread each
    compiled      time loops without Python in them, where torch can
    memory        memory that is used again for each batch
    losses        scores and targets -> loss and gradient
    cells         rnn, gru, lstm: one step forward, one step backward
    recurrence    the time loop over packed rows and its BPTT
    pooling       the states of all steps -> one vector a sequence
    network       what a network is made of; its weights, here and upstairs
    gradient      the loss of a batch and its gradient, through all layers
    prediction    codes without gradients: level by level, prefixes shared
    optimiser     clipping, weight decay, Adam, on all weights or some rows
    training      the minibatch loop: order, shards, schedule, stopping, history
"""
