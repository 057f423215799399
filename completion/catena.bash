# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of catena and socat for bash: what there is comes from the program itself.
_catena() {
    local word=${COMP_LINE:0:COMP_POINT} name rest line
    # What is typed since the last blank, or since the quote that is open.
    case $word in
    *\'*) rest=${word//[^\']/} ; ((${#rest} % 2)) && word=${word##*\'} || word=${word##*[ ]} ;;
    *) word=${word##*[ ]} ;;
    esac
    # Readline replaces only what follows the last of its word breaks, if no quote is open.
    local keep= cur=$2
    [[ $word == *"$cur" ]] && keep=${word%"$cur"}
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
        $'\t'files$'\t'*)
            rest=${line##*$'\t'}
            compopt -o filenames
            while IFS= read -r name; do COMPREPLY+=("${rest#"$keep"}$name"); done < <(compgen -f -- "${word#"$rest"}") ;;
        $'\t'hosts$'\t'*)
            rest=${line##*$'\t'}
            while IFS= read -r name; do COMPREPLY+=("${rest#"$keep"}$name"); done < <(compgen -A hostname -- "${word#"$rest"}") ;;
        $'\t'users$'\t'*)
            rest=${line##*$'\t'}
            while IFS= read -r name; do COMPREPLY+=("${rest#"$keep"}$name"); done < <(compgen -u -- "${word#"$rest"}") ;;
        $'\t'interfaces$'\t'*)
            rest=${line##*$'\t'}
            for name in /sys/class/net/"${word#"$rest"}"*; do
                [ -e "$name" ] && COMPREPLY+=("${rest#"$keep"}${name##*/}")
            done ;;
        *) name=${line%%$'\t'*}; COMPREPLY+=("${name#"$keep"}") ;;
        esac
    done < <("${COMP_WORDS[0]}" --complete "$word" 2>/dev/null)
    # A list of what there is does not repeat what has been typed.
    if ((COMP_TYPE == 63 && ${#COMPREPLY[@]} > 1)); then
        rest=${cur%"${cur##*[|,%:=/]}"}
        COMPREPLY=("${COMPREPLY[@]#"$rest"}")
    fi
    compopt -o nospace
}
complete -F _catena catena socat
