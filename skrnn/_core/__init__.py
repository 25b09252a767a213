"""The numerical floor: plain arrays and tensors, no estimators.

Modules may import those above them in this list, never below, and nothing
upstairs:

    sequences    any user input -> one flat array with offsets
    packing      a batch in step order, without padding
    vocabulary   token -> id
    threads      one intra-op thread for the duration of a call
    recurrence   the time loop over packed rows and its BPTT
    network      input layer, recurrence and output layer; losses
    training     the minibatch loop: order, step, clipping, stopping, history
"""
