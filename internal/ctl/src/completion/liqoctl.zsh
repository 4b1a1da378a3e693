#compdef liqoctl
# Completion of liqoctl in zsh: liqoctl completion zsh > "${fpath[1]}/_liqoctl", or source <(liqoctl completion zsh)

_liqoctl() {
    local -a lines candidates
    local line
    lines=("${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" </dev/null 2>/dev/null)}")
    for line in "${lines[@]}"; do
        if [[ $line == ':files' ]]; then
            _files
            return
        fi
        [[ -n $line ]] && candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    _describe -t values 'liqoctl' candidates
}

if [[ ${funcstack[1]} == _liqoctl ]]; then
    _liqoctl "$@"
else
    compdef _liqoctl liqoctl
fi
