"""The numerical core: plain arrays and tensors, no estimators.

Each module may import only the modules above it in this list, and nothing else
from skrnn:

    forks           locks for which a fork waits
    imports         imports that neither a fork nor Ctrl-C cuts in two
    sequences       ragged sequences as one flat array with offsets
    sparse_rows     rows of a sparse matrix
    dense_rows      rows of a matrix
    context         vectors that come with sequences
    steps           the steps that a network reads, in the same layout
    samples         sequences with their targets and weights
    series          numeric sequences: standardised, no missing values
    ngrams          the n-grams that end at each step
    subwords        what words are made of
    vocabulary      token or n-gram -> id
    counts          how often tokens and n-grams occur, merged part by part
    threads         threads over sequences, one intra-op thread each
    group           processes that train one network together
    execution       where arithmetic happens: devices, threads, new tensors
    packing         a batch in step order, without padding
    answers         the sequences that a network is to write
    beam            searching for the likeliest sequences
    batch           what a loss is computed from, except for the weights
    compiled        loops over numbers, compiled by numba and kept on disk
    distinct        equal sequences
    prefetch        rows of large tables, asked for before they are needed
    rows            rows of numbers that are copied, added or cleared
    prefixes        common prefixes of token sequences
    products        matrix products in which no row depends on the others
    elementwise     tanh and the logistic function
    convolution     filters that read windows of steps, and the way back
    memory          memory that is reused for each batch
    wide            the wide path: a linear map of n-grams, and the way back
    linear          the same for rows of either kind
    minirocket      shares of steps at which patterns are found in series
    density         densities of the next step of a series, which may end
    losses          scores and targets -> loss and gradient
    crf             chains of tags: their loss and gradient
    best_tags       the best tags of a chain
    ctc             sequences that frames emit: their loss and gradient
    ctc_search      the likeliest of them
    attention       weighted means of what was read, and the way back
    output          the output layer: scores, their loss, and the way back
    cells           rnn, gru, lstm: one step forward, one step backward
    recurrence      the time loop over packed rows and its BPTT
    pooling         the hidden states of all steps -> one vector per sequence
    architecture    the structure of a network
    layout          the position of each part of the weights in one flat tensor
    weights         the weights and their initial values
    public          the weights as users see them
    front           convolutions before the recurrence, forward and back
    gradient        forward and backward through all layers
    condition       what depends on the context, forward and back
    network         the interface to the kernels: weights, batch -> loss, gradient
    decoder         the same for networks that write sequences
    encode          pooled hidden states without gradients, sharing common prefixes
    generate        reading step by step, and drawing what comes next
    emission        loss and gradient of networks whose steps emit sequences
    windows         the same for long sequences, if each step has a target
    writer          what writes step by step, by one network or by several
    transduce       other sequences, written step by step
    writing         sequences that are written, in batches
    schedule        how the learning rate rises and falls
    plan            how to train: the resolved settings of a fit
    shards          minibatches cut into parts, one per thread of each process
    training_data   training data on the device
    batches         the training data in random order, packed
    token_rows      the vectors of the tokens in a minibatch
    adam            the arithmetic of Adam, in one pass over memory
    rules           update rules: Adam
    updates         updates of all weights, or only of the rows that a minibatch uses
    autograd        the same by torch's operations, and losses and gradients
    kernels         what computes losses and gradients, by name
    progress        what a fit has done so far
    training_state  everything that changes during a fit
    trainer         the minibatch loop: epochs, and when to stop
"""
