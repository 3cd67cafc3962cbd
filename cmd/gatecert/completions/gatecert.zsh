#compdef gatecert
# zsh completion for gatecert: save it as _gatecert in a folder of $fpath
_gatecert() {
  local -a lines values about
  local line
  lines=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  for line in "${lines[@]}"; do
    [[ -n $line ]] || continue
    values+=("${line%%$'\t'*}")
    about+=("${line/$'\t'/  -- }")
  done
  if (( ! ${#values} )); then
    _files
    return
  fi
  compadd -l -d about -a values
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _gatecert "$@"
else
  compdef _gatecert gatecert
fi
