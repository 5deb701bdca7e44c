# Asks zsh itself, on a terminal of its own: completion_test.zsh FOLDER LINE prints the screen after
# LINE and a tab. FOLDER has the file _carveout.
zmodload zsh/zpty
zpty asked zsh -f -i
zpty -w asked "PS1=; PROMPT=; fpath=($1 \$fpath); autoload -U compinit; compinit -D -u"
zpty -w asked "zstyle ':completion:*' list-packed no; LISTMAX=1000; setopt no_beep; print READ''Y"
zpty -r asked text '*READY*'
zpty -w -n asked "$2"$'\t\t'
# What is offered comes in one go; then there is silence.
while true; do
  sleep 0.3
  zpty -r -t asked text || break
  print -r -- "$text"
done
zpty -d asked
