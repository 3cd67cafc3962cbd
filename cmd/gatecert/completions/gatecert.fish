# fish completion for gatecert: save it as ~/.config/fish/completions/gatecert.fish
function __gatecert_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l values ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
    if test (count $values) -gt 0
        printf '%s\n' $values
    else
        __fish_complete_path "$current"
    end
end
complete --command gatecert --no-files --arguments '(__gatecert_complete)'
