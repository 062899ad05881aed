# Completes once, writes what matches to a file, and ends.
fpath=($ATTUNE_COMPLETION $fpath)
autoload -U compinit
compinit -u -D
bindkey '^I' complete-word
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a hits
  builtin compadd -A hits "$@"
  (( $#hits )) && print -rl -- $hits >>$ATTUNE_COMPLETION/offers
  builtin compadd "$@"
}
finish() { exit }
comppostfuncs=(finish)
