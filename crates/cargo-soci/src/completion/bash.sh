# Completion of cargo-soci and `cargo soci` in bash. In ~/.bashrc: eval "$(cargo-soci completions bash)"
# The program itself is asked for the candidates, so that they are those of the installed version.

# The words behind `cargo-soci` or `cargo soci`, the last of them begun.
_cargo_soci_answer() {
    local last="${!#}" line directive= cut
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
        :[0-9]*) directive=$line ;;
        *) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <(cargo-soci __complete "$@" 2> /dev/null)
    if [[ $directive == :0 ]]; then
        compopt -o default
    else
        compopt +o default
    fi
    # Readline replaces only what is behind the last `:` or `=`.
    for cut in : =; do
        if [[ $last == *"$cut"* && $COMP_WORDBREAKS == *"$cut"* ]]; then
            local prefix=${last%"${last##*"$cut"}"}
            COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
        fi
    done
}

# The words up to the cursor; those of readline are split at `:` and `=`.
_cargo_soci_words() {
    local line=${COMP_LINE:0:COMP_POINT}
    read -ra _cargo_soci_line <<< "$line"
    [[ $line == *[[:space:]] ]] && _cargo_soci_line+=('')
    return 0
}

_cargo_soci() {
    local -a _cargo_soci_line
    _cargo_soci_words
    _cargo_soci_answer "${_cargo_soci_line[@]:1}"
}

# Completion of cargo: ours behind `cargo soci`, else whatever was there before.
_cargo_soci_of_cargo() {
    local -a _cargo_soci_line
    _cargo_soci_words
    local at=1
    [[ ${_cargo_soci_line[1]} == +* ]] && at=2
    if [[ ${_cargo_soci_line[at]} == soci && ${#_cargo_soci_line[@]} -gt $((at + 1)) ]]; then
        _cargo_soci_answer "${_cargo_soci_line[@]:at+1}"
        return
    fi
    if [[ -n $_cargo_soci_before ]]; then
        "$_cargo_soci_before" "$@"
    fi
    if [[ ${#_cargo_soci_line[@]} -eq $((at + 1)) && soci == "${_cargo_soci_line[at]}"* ]]; then
        [[ " ${COMPREPLY[*]} " == *" soci "* ]] || COMPREPLY+=(soci)
    fi
}

complete -o bashdefault -o default -F _cargo_soci cargo-soci
# Completions that are loaded at their first use would replace ours: load cargo's now.
if ! complete -p cargo > /dev/null 2>&1; then
    if declare -F _comp_load > /dev/null; then
        _comp_load cargo > /dev/null 2>&1
    elif declare -F _completion_loader > /dev/null; then
        _completion_loader cargo > /dev/null 2>&1
    fi
fi
if [[ $(complete -p cargo 2> /dev/null) =~ -F\ ([^ ]+) && ${BASH_REMATCH[1]} != _cargo_soci_of_cargo \
    && ${BASH_REMATCH[1]} != _minimal && ${BASH_REMATCH[1]} != _comp_complete_minimal ]]; then
    _cargo_soci_before=${BASH_REMATCH[1]}
fi
complete -o bashdefault -o default -F _cargo_soci_of_cargo cargo
