"""Parts of the docstrings of the estimators that write sequences."""

from textwrap import dedent

PARTS = {}

PARTS["warns of fit"] = dedent(
    """
    Warns
    -----
    ConvergenceWarning
        If training diverges in a later epoch, or ends with a loss that is far above
        that of guessing, or no better.
    UserWarning
        If most of the memory is for the tokens of a large vocabulary.
    """
).strip()

PARTS["notes of fit"] = dedent(
    """
    Notes
    -----
    If a fit fails, the estimator is left unchanged.
    """
).strip()

PARTS["weights of decoders"] = dedent(
    """
    decoder_W_, decoder_U_, decoder_b_ : lists of ndarrays
        The weights of the layers of the decoder, as `W_`, `U_` and `b_` of the encoder.
        Column ``output_vocabulary_[token]`` of the first U is the vector of a token,
        and column 0 that of the start. Only available with a decoder, as are the
        attributes up to `energy_`.
    bridge_ : ndarray of shape (n_first, n_directions * nhidden)
        The matrix B above, where n_first is the length of the state of the first layer
        of the decoder.
    bridge_bias_ : ndarray of shape (n_first,)
        The vector b above.
    query_ : ndarray of shape (n_directions * nhidden, n_first)
        The matrix Q above. Only available with attention.
    key_ : ndarray of shape (n_directions * nhidden, n_directions * nhidden)
        The matrix K of additive attention. Only available with it.
    energy_ : ndarray of shape (n_directions * nhidden,)
        The vector v of additive attention. Only available with it.
    n_frames_per_step_ : int
        Number of frames that each step emits: the smallest with which every sequence of
        y of a weight above 0 can be emitted. A sequence needs a frame for each token,
        and one between two that are the same. Only available with ``decoder="ctc"``.
    """
).strip()

PARTS["references of writers"] = dedent(
    """
    .. [21] Sutskever, Vinyals and Le (2014), "Sequence to Sequence Learning with Neural
       Networks", NeurIPS.
    .. [22] Luong, Pham and Manning (2015), "Effective Approaches to Attention-based
       Neural Machine Translation", EMNLP.
    .. [23] Szegedy et al. (2016), "Rethinking the Inception Architecture for Computer
       Vision", CVPR, section 7.
    .. [24] Wu et al. (2016), "Google's Neural Machine Translation System",
       arXiv:1609.08144, section 3.3.
    .. [25] Bahdanau, Cho and Bengio (2015), "Neural Machine Translation by Jointly
       Learning to Align and Translate", ICLR.
    .. [26] Bengio et al. (2015), "Scheduled Sampling for Sequence Prediction with
       Recurrent Neural Networks", NeurIPS; all tokens at once as by Mihaylova and
       Martins (2019), "Scheduled Sampling for Transformers", ACL SRW.
    .. [27] Graves et al. (2006), "Connectionist Temporal Classification: Labelling
       Unsegmented Sequence Data with Recurrent Neural Networks", ICML.
    .. [28] Hannun et al. (2014), "First-Pass Large Vocabulary Continuous Speech
       Recognition using Bi-Directional Recurrent DNNs", arXiv:1408.2873.
    """
).strip()
