# Completion of liqoctl in bash: source <(liqoctl completion bash)

_liqoctl() {
    local typed=${COMP_LINE:0:COMP_POINT} words=() current line settled at
    # Bash splits words at = and :, which liqoctl does not.
    read -ra words <<<"$typed"
    [[ $typed == *[[:space:]] ]] && words+=("")
    current=${words[${#words[@]} - 1]}
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            compopt -o default 2>/dev/null
            return
        fi
        COMPREPLY+=("${line%%$'\t'*}")
    done < <("${words[0]}" __complete -- "${words[@]:1}" </dev/null 2>/dev/null)
    # It replaces only what is behind the last of them.
    settled=${current%"${current##*[=:]}"}
    for at in "${!COMPREPLY[@]}"; do
        COMPREPLY[at]=${COMPREPLY[at]#"$settled"}
    done
}

complete -F _liqoctl liqoctl
