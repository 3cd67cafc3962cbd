# bash completion for gatecert: source it, or put it into ~/.local/share/bash-completion/completions/gatecert
_gatecert() {
  local line=${COMP_LINE:0:COMP_POINT} current candidate IFS=$' \t\n'
  local -a words
  # Bash splits words at colons and equals signs, which the ids of rows and cases contain. This splits at spaces alone.
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]} - 1]}
  # What bash replaces begins after the last of these characters.
  local kept=
  if [[ $current == *[:=]* ]]; then kept=${current%"${current##*[:=]}"}; fi
  COMPREPLY=()
  while IFS=$'\t' read -r candidate _; do
    COMPREPLY+=("${candidate#"$kept"}")
  done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:] ]]; then compopt -o nospace 2>/dev/null; fi
}
# Where gatecert knows no values, bash offers files.
complete -o default -F _gatecert gatecert
