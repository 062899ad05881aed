# complete.bash SCRIPT LINE: what bash would offer at the end of LINE, one a line. What bash itself
# does: it splits words at COMP_WORDBREAKS and replaces the last one.
source "$1"
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
COMP_LINE=$2
COMP_POINT=${#2}
function=$(complete -p attune)
function=${function#*-F }
"${function% attune}" && printf '%s\n' "${COMPREPLY[@]}"
