# complete.zsh DIRECTORY LINE: what an interactive zsh offers for LINE, one a line. DIRECTORY holds
# _attune. The shell runs in a terminal of its own, with zsh/.zshrc, and writes to DIRECTORY/offers.
zmodload zsh/zpty
export ATTUNE_COMPLETION=$1 ZDOTDIR=${0:A:h}/zsh
: >$1/offers
zpty shell zsh -d -i
zpty -w shell "$2"$'\t'
while zpty -r shell ignored; do :; done
cat $1/offers
