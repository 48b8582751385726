#compdef cargo-soci
# Completion of cargo-soci and `cargo soci` in zsh. In ~/.zshrc, behind compinit: eval "$(cargo-soci completions zsh)"
# The program itself is asked for the candidates, so that they are those of the installed version.

# Called for `cargo-soci …`, and for `cargo soci …` with the words behind `cargo`.
_cargo-soci() {
    local -a ours candidates
    local line directive=
    ours=("${(@)words[2,CURRENT-1]}" "$PREFIX")
    while IFS= read -r line; do
        case $line in
        :<->) directive=$line ;;
        *$'\t'*) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
        *) candidates+=("${line//:/\\:}") ;;
        esac
    done < <(cargo-soci __complete "${ours[@]}" 2> /dev/null)
    if (( $#candidates )); then
        _describe -V 'cargo soci' candidates
    elif [[ $directive == :0 ]]; then
        _files
    fi
}

# Completion of cargo: ours behind `cargo soci`, else whatever was there before.
_cargo_soci_of_cargo() {
    local at=2
    [[ $words[2] == +* ]] && at=3
    if [[ $words[at] == soci ]] && (( CURRENT > at )); then
        shift $((at - 1)) words
        (( CURRENT -= at - 1 ))
        _cargo-soci
        return
    fi
    if (( CURRENT == at )); then
        compadd soci
    fi
    if [[ -n $_cargo_soci_before ]]; then
        $_cargo_soci_before "$@"
    fi
}

if [[ $funcstack[1] == _cargo-soci ]]; then
    # Loaded out of fpath at its first use.
    _cargo-soci "$@"
elif (( $+functions[compdef] )); then
    compdef _cargo-soci cargo-soci
    if [[ ${_comps[cargo]-} != _cargo_soci_of_cargo ]]; then
        typeset -g _cargo_soci_before=${_comps[cargo]-}
        compdef _cargo_soci_of_cargo cargo
    fi
fi
