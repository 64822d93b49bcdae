# Puts the tables of a finished `make experiments` into the manual page:
#
#     awk -v results=build/experiments -f sim/experiments/page.awk man/xenmeter-experiments.7
#
# The line  .\" table NAME: HEADING  stands before each display that is a table; NAME.txt has it below this heading.
/^\.\\" table / {
    print
    name = $3
    sub(/:$/, "", name)
    heading = substr($0, index($0, ": ") + 2)
    file = results "/" name ".txt"
    print ".Bd -literal"
    found = 0
    while ((getline line < file) > 0)
        if (found && line == "") break
        else if (found) { gsub(/\\/, "\\e", line); print line }
        else if (line == heading) found = 1
    close(file)
    if (!found) { print file ": no table \"" heading "\"" > "/dev/stderr"; wrong = 1; exit }
    print ".Ed"
    old = 1
    next
}
old { old = $0 != ".Ed"; next }
{ print }
END { exit wrong }
