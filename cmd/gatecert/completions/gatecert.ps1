# PowerShell completion for gatecert: add `gatecert completion powershell | Out-String | Invoke-Expression` to $PROFILE
Register-ArgumentCompleter -Native -CommandName gatecert -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursorPosition } | ForEach-Object { $_.Extent.Text })
    $before = @($words | Select-Object -Skip 1)
    if ($wordToComplete -ne '' -and $before.Count -gt 0) { $before = @($before | Select-Object -SkipLast 1) }
    # Windows PowerShell drops empty arguments: the marker stands for one.
    $current = if ($wordToComplete -eq '') { '%empty%' } else { "$wordToComplete" }
    & $words[0] complete -- @before $current 2>$null | ForEach-Object {
        $value, $about = $_ -split "`t", 2
        if (-not $about) { $about = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
    }
}
