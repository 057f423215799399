# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of catena and socat for fish: what there is comes from the program itself.
function __catena_complete
    set -l word (commandline -ct | string replace -r '^[\'"]' '')
    set -l program (commandline -po)[1]
    for line in ($program --complete "$word" 2>/dev/null)
        set -l field (string split \t -- $line)
        if test -n "$field[1]"
            echo $line
            continue
        end
        set -l rest (string sub -s (math (string length -- "$field[3]") + 1) -- "$word")
        switch $field[2]
            case files
                for name in $rest*
                    test -d $name; and set name $name/
                    echo "$field[3]$name"
                end
            case hosts
                for name in (__fish_print_hostnames | string match -- "$rest*")
                    echo "$field[3]$name"
                end
            case users
                for name in (__fish_complete_users | string match -- "$rest*")
                    echo "$field[3]$name"
                end
            case interfaces
                for name in (command ls /sys/class/net | string match -- "$rest*")
                    echo "$field[3]$name"
                end
        end
    end
end
complete -c catena -f -a '(__catena_complete)'
complete -c socat -f -a '(__catena_complete)'
