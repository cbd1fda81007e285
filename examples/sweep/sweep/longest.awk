# awk -v part=N -f longest.awk: of the hundred numbers of part N (1 to 100, 101 to 200, ...), which takes most steps to
# come to 1, if an even one is halved and of an odd one comes 3n + 1?
BEGIN {
    for (start = part * 100 - 99; start <= part * 100; start++) {
        steps = 0
        for (n = start; n != 1; n = n % 2 ? 3 * n + 1 : n / 2) steps++
        if (steps > most) { most = steps; best = start }
    }
    print most, best
}
