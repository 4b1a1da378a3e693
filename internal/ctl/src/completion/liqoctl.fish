# Completion of liqoctl in fish: liqoctl completion fish | source

function __liqoctl_candidates
    set -l current (commandline -ct)
    set -l words (commandline -opc) "$current"
    for line in (command $words[1] __complete -- $words[2..-1] </dev/null 2>/dev/null)
        if test "$line" = ':files'
            __fish_complete_path "$current"
            return
        end
        printf '%s\n' $line
    end
end

complete -c liqoctl -f -a '(__liqoctl_candidates)'
