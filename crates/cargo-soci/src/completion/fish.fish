# Completion of cargo-soci and `cargo soci` in fish: save as ~/.config/fish/completions/cargo-soci.fish, and
# `cargo-soci completions fish | source` in ~/.config/fish/config.fish for `cargo soci`.
# The program itself is asked for the candidates, so that they are those of the installed version.

function __cargo_soci_candidates
    set -l words (commandline -opc)
    set -e words[1]
    if test (count $words) -gt 0; and string match -q -- '+*' $words[1]
        set -e words[1]
    end
    if test "$words[1]" = soci
        set -e words[1]
    end
    set -l answer (cargo-soci __complete $words (commandline -ct) 2>/dev/null)
    if test "$answer[-1]" = :0
        __fish_complete_path (commandline -ct)
    end
    set -e answer[-1]
    printf '%s\n' $answer
end

function __cargo_soci_is_called
    set -l words (commandline -opc)
    contains -- soci $words[2..3]
end

complete -c cargo-soci -e
complete -c cargo-soci -f -a '(__cargo_soci_candidates)'
complete -c cargo -n __cargo_soci_is_called -f -a '(__cargo_soci_candidates)'
complete -c cargo -n 'test (count (commandline -opc)) -eq 1' -f -a soci -d 'Lazy loading for container images'
