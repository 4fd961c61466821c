"""Makes the folder that vLLM loads from a GGUF file of a Qwen2 model: weights in bfloat16, configuration, tokenizer.

    .venv-vllm/bin/python tests/vllm/hugging_face.py MODEL.gguf FOLDER [--tiny]

`--tiny`: no weights, and the configuration of a model of four small layers, for `--load-format dummy`.
Knows nothing of Zhubo: it runs where gguf, torch and safetensors are.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

_BLOCK = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_WHOLE = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4
"""Kinds of token in a GGUF vocabulary."""

_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen2's tokenizer cuts text before it looks for pairs to merge."""

_TINY = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
}

Field = Callable[[str], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args()
    from gguf import GGUFReader

    reader = GGUFReader(arguments.model)
    arguments.folder.mkdir(parents=True, exist_ok=True)

    def field(name: str) -> Any:
        return reader.fields[name].contents()

    config = configuration(field, tied="output.weight" not in {tensor.name for tensor in reader.tensors})
    files = {
        "config.json": config | (_TINY if arguments.tiny else {}),
        "generation_config.json": {name: config[name] for name in ("bos_token_id", "eos_token_id")},
        "tokenizer.json": tokenizer(field),
        "tokenizer_config.json": tokenizer_configuration(field),
    }
    for name, content in files.items():
        (arguments.folder / name).write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    if not arguments.tiny:
        write_weights(reader.tensors, arguments.folder / "model.safetensors")


def configuration(field: Field, *, tied: bool) -> dict[str, Any]:
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_act": "silu",
        "hidden_size": field("qwen2.embedding_length"),
        "intermediate_size": field("qwen2.feed_forward_length"),
        "num_hidden_layers": field("qwen2.block_count"),
        "num_attention_heads": field("qwen2.attention.head_count"),
        "num_key_value_heads": field("qwen2.attention.head_count_kv"),
        "max_position_embeddings": field("qwen2.context_length"),
        "rms_norm_eps": field("qwen2.attention.layer_norm_rms_epsilon"),
        "rope_theta": field("qwen2.rope.freq_base"),
        "vocab_size": len(field("tokenizer.ggml.tokens")),
        "tie_word_embeddings": tied,
        "torch_dtype": "bfloat16",
        "bos_token_id": field("tokenizer.ggml.bos_token_id"),
        "eos_token_id": field("tokenizer.ggml.eos_token_id"),
    }


def tokenizer(field: Field) -> dict[str, Any]:
    tokens, kinds = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.token_type")
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    added = [
        {"id": number, "content": token, "special": kind == _CONTROL, **flags}
        for number, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind in (_CONTROL, _USER_DEFINED)
    ]
    bytewise = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": _WORDS}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, bytewise]},
        "post_processor": bytewise,
        "decoder": bytewise,
        "model": {
            "type": "BPE",
            "vocab": {token: number for number, token in enumerate(tokens) if kinds[number] == _NORMAL},
            "merges": [merge.split(" ", 1) for merge in field("tokenizer.ggml.merges")],
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
        },
    }


def tokenizer_configuration(field: Field) -> dict[str, Any]:
    tokens = field("tokenizer.ggml.tokens")
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": tokens[field("tokenizer.ggml.eos_token_id")],
        "pad_token": tokens[field("tokenizer.ggml.padding_token_id")],
        "model_max_length": field("qwen2.context_length"),
        "clean_up_tokenization_spaces": False,
        "chat_template": field("tokenizer.chat_template"),
    }


def write_weights(tensors: Any, path: Path) -> None:
    import torch
    from gguf.quants import dequantize
    from safetensors.torch import save_file

    weights = {
        _named(tensor.name): torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy())
        .reshape([int(size) for size in reversed(tensor.shape)])
        .to(torch.bfloat16)
        for tensor in tensors
    }
    part = path.with_suffix(".part")
    save_file(weights, part, metadata={"format": "pt"})
    part.rename(path)


def _named(name: str) -> str:
    if name in _WHOLE:
        return _WHOLE[name]
    _, layer, rest = name.split(".", 2)
    block, kind = rest.rsplit(".", 1)
    return f"model.layers.{layer}.{_BLOCK[block]}.{kind}"


if __name__ == "__main__":
    main()
