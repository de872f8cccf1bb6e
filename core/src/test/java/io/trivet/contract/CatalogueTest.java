package io.trivet.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The catalogue, the tests and {@code docs/engines.md} cover the same cases. */
final class CatalogueTest {
    private static final Path ROOT = Path.of(System.getProperty("trivet.root", ".."));

    @Test
    void everyCaseHasATestAndEveryTestACase() {
        Set<String> tested = new TreeSet<>();
        for (JavaMethod method : new ClassFileImporter().importPath(ROOT.resolve("core/target/test-classes")).stream()
                .flatMap(type -> type.getMethods().stream()).filter(method -> method.isAnnotatedWith(Case.class)).toList()) {
            tested.addAll(List.of(method.getAnnotationOfType(Case.class).value()));
        }
        Set<String> applicable = Catalogue.ENTRIES.stream().filter(entry -> entry.notApplicable().isEmpty())
                .map(Catalogue.Entry::number).collect(Collectors.toCollection(TreeSet::new));
        assertThat(tested).isEqualTo(applicable);
    }

    @Test
    void checkedInPageHasEveryCaseAndEngine() throws IOException {
        List<String> numbers = new ArrayList<>();
        boolean inCases = false; // another table comes first: what each engine needs
        for (String line : Files.readAllLines(ROOT.resolve("docs/engines.md"))) {
            inCases |= line.startsWith("| case |");
            if (!inCases || !line.startsWith("| ")) {
                continue;
            }
            String[] cells = line.substring(2).split(" \\| | \\|$");
            List<String> engines = List.of(cells).subList(4, cells.length);
            if (cells[0].equals("case")) {
                assertThat(engines).containsExactlyElementsOf(Engine.ALL.stream().map(Engine::name).toList());
            } else {
                numbers.add(cells[0]);
                assertThat(engines).as("case %s", cells[0]).hasSize(Engine.ALL.size())
                        .allMatch(outcome -> outcome.matches("(pass|pass, cannot|cannot|does not apply)( \\([0-9, ]+\\))?"));
            }
        }
        assertThat(numbers).as("docs/engines.md is outdated: it says how to renew it")
                .containsExactlyElementsOf(Catalogue.ENTRIES.stream().map(Catalogue.Entry::number).toList());
    }
}
