import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;

/**
 * Prints at the end of the build how many tests were skipped, and why: {@code java SkippedTests.java ROOT}. Reads the surefire
 * reports of all modules. Never fails: {@code .ci/check-skips} decides which tests may be skipped.
 */
final class SkippedTests {
    private static final int CLASSES_NAMED_MAX = 3;

    private SkippedTests() {}

    public static void main(String[] args) throws Exception {
        int run = 0;
        int skipped = 0;
        // By reason: the number of skips, and their classes.
        Map<String, Integer> times = new TreeMap<>();
        Map<String, TreeSet<String>> classes = new TreeMap<>();
        var parser = DocumentBuilderFactory.newInstance().newDocumentBuilder();
        for (Path report : reports(Path.of(args[0]))) {
            var cases = parser.parse(report.toFile()).getElementsByTagName("testcase");
            for (int i = 0; i < cases.getLength(); i++) {
                Element test = (Element) cases.item(i);
                run++;
                if (test.getElementsByTagName("skipped").item(0) instanceof Element skip) {
                    skipped++;
                    String reason = reason(skip);
                    times.merge(reason, 1, Integer::sum);
                    classes.computeIfAbsent(reason, _ -> new TreeSet<>())
                            .add(test.getAttribute("classname").replaceFirst(".*\\.", "").replace('$', '.'));
                }
            }
        }
        if (run == 0) return;
        System.out.println("Tests: " + run + (skipped == 0 ? ", none skipped" : ", of which " + skipped + " were skipped:"));
        times.forEach((reason, count) -> System.out.println("  " + count + "x " + reason + "  " + shortened(classes.get(reason))));
    }

    private static List<Path> reports(Path root) throws IOException {
        try (Stream<Path> modules = Files.list(root)) {
            return modules.map(module -> module.resolve("target/surefire-reports"))
                    .filter(Files::isDirectory)
                    .flatMap(SkippedTests::xmlFiles)
                    .sorted()
                    .toList();
        }
    }

    private static Stream<Path> xmlFiles(Path directory) {
        try (var files = Files.newDirectoryStream(directory, "TEST-*.xml")) {
            Stream.Builder<Path> found = Stream.builder();
            files.forEach(found::add);
            return found.build();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Returns the reason: an attribute for a disabled test, the first line of the exception for a failed assumption. */
    private static String reason(Element skipped) {
        String text = skipped.hasAttribute("message") ? skipped.getAttribute("message")
                : skipped.getTextContent().lines().findFirst().orElse("");
        String reason = text.replaceFirst("^[\\w.]*TestAbortedException(: )?", "").replaceFirst("^Assumption failed: ", "").strip();
        return reason.isEmpty() ? "no reason given" : reason;
    }

    private static String shortened(TreeSet<String> classes) {
        List<String> named = classes.stream().limit(CLASSES_NAMED_MAX).toList();
        int more = classes.size() - named.size();
        return "(" + String.join(", ", named) + (more == 0 ? "" : " and " + more + " more") + ")";
    }
}
