/** The scripts by which shells complete command lines of `conductor`. */

const BASH = String.raw`# Completion of conductor in bash. Add to ~/.bashrc: source <(conductor completion bash)
_conductor() {
  local line files='' current="$2"
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=yes
    else COMPREPLY+=("${'$'}{line%%$'\t'*}")
    fi
  done < <(conductor complete -- "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
  fi
}
complete -F _conductor conductor`;

const ZSH = String.raw`#compdef conductor
# Completion of conductor in zsh. Add to ~/.zshrc, behind compinit: source <(conductor completion zsh)
_conductor() {
  local line files=''
  local -a found
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=yes
    else found+=("${'$'}{${'$'}{line%%$'\t'*}//:/\\:}:${'$'}{line#*$'\t'}")
    fi
  done < <(conductor complete -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)
  (( ${'$'}#found )) && _describe conductor found
  [[ -n $files ]] && _files
  return 0
}
if [[ $funcstack[1] == _conductor ]]; then _conductor "$@"; else compdef _conductor conductor; fi`;

const FISH = `# Completion of conductor in fish. Save as ~/.config/fish/completions/conductor.fish
function __conductor_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (conductor complete -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c conductor -f -a '(__conductor_complete)'`;

export const SHELL_SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
