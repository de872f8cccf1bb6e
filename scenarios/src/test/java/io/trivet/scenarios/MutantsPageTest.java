package io.trivet.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Tests that docs/mutants.md lists the known bugs that are checked in, under the names that the search takes. */
final class MutantsPageTest {
    private static final Pattern QUOTED = Pattern.compile("`([a-z0-9]+(?:-[a-z0-9]+)*)`");
    private static final Path PAGE = Path.of("../docs/mutants.md");
    private static final Path PATCHES = Path.of("src/test/mutants");

    @Test
    void eachBugIsOnThePage() throws IOException {
        Set<String> missing = checkedIn();
        missing.removeAll(quoted(Files.readString(PAGE)));
        assertThat(missing).isEmpty();
    }

    @Test
    void eachBugInATableWithItsSeedsOrTrialsIsCheckedIn() throws IOException {
        Set<String> rows = new TreeSet<>();
        boolean inSearched = false;
        for (String line : Files.readAllLines(PAGE)) {
            if (line.startsWith("| bug |")) {
                inSearched = true;
            } else if (!line.startsWith("|")) {
                inSearched = false;
            } else if (inSearched && line.startsWith("| `")) {
                rows.addAll(quoted(line.substring(2, line.indexOf(" |", 2))));
            }
        }
        assertThat(rows).hasSizeGreaterThan(150);
        rows.removeAll(checkedIn());
        assertThat(rows).isEmpty();
    }

    private static Set<String> checkedIn() throws IOException {
        try (Stream<Path> files = Files.list(PATCHES)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".patch"))
                    .map(name -> name.substring(0, name.length() - ".patch".length()))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static Set<String> quoted(String text) {
        Set<String> names = new TreeSet<>();
        for (Matcher m = QUOTED.matcher(text); m.find();) {
            names.add(m.group(1));
        }
        return names;
    }
}
