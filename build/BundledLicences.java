import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;

/**
 * Checks that a jar carries the licences of everything in it: {@code java BundledLicences.java JAR LIST}. LIST is the output of Maven's
 * {@code dependency:list} for the artifacts that the jar contains.
 *
 * <p>The jar must have META-INF/LICENSE and META-INF/NOTICE and, for each artifact that is not Trivet's, META-INF/licenses/ARTIFACT.txt and a
 * mention in NOTICE. A licence of an artifact that is not in the jar fails, too.
 */
final class BundledLicences {
    private static final String DIRECTORY = "META-INF/licenses/";
    private static final Pattern ARTIFACT = Pattern.compile("^\\s*([\\w.-]+):([\\w.-]+):jar:\\S+");

    private BundledLicences() {}

    public static void main(String[] args) throws IOException {
        List<String> problems = new ArrayList<>();
        try (JarFile jar = new JarFile(args[0])) {
            String notice = text(jar, "META-INF/NOTICE", problems);
            text(jar, "META-INF/LICENSE", problems);
            TreeSet<String> superfluous = new TreeSet<>(jar.stream().map(ZipEntry::getName)
                    .filter(name -> name.startsWith(DIRECTORY) && !name.endsWith("/"))
                    .toList());
            for (String artifact : othersIn(Path.of(args[1]))) {
                String licence = DIRECTORY + artifact + ".txt";
                superfluous.remove(licence);
                text(jar, licence, problems);
                if (!notice.contains(artifact)) problems.add("NOTICE does not name " + artifact);
            }
            superfluous.forEach(name -> problems.add(name + " is the licence of nothing in the jar"));
        }
        problems.forEach(problem -> System.err.println(args[0] + ": " + problem));
        if (!problems.isEmpty()) System.exit(1);
    }

    private static String text(JarFile jar, String name, List<String> problems) throws IOException {
        ZipEntry entry = jar.getEntry(name);
        if (entry == null || entry.getSize() == 0) {
            problems.add(name + " is missing or empty; app/src/main/resources/META-INF has the licences of others");
            return "";
        }
        return new String(jar.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8);
    }

    private static TreeSet<String> othersIn(Path list) throws IOException {
        TreeSet<String> artifacts = new TreeSet<>();
        boolean found = false;
        for (String line : Files.readAllLines(list)) {
            var matcher = ARTIFACT.matcher(line);
            if (!matcher.find()) continue;
            found = true;
            if (!matcher.group(1).equals("io.trivet")) artifacts.add(matcher.group(2));
        }
        if (!found) throw new IOException(list + " lists no artifact");
        return artifacts;
    }
}
