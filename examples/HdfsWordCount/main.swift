// Counts the words of the text files that come into a folder, batch by batch: Spark's HdfsWordCount.
import DStreams
import ExampleSupport

let arguments = Arguments(
    query: "folder-word-count", words: 1,
    usage: """
        Usage: HdfsWordCount FOLDER [options]

        Write a file elsewhere on the same disk and rename it into the folder:
        echo "to be or not to be" > /tmp/draft && mv /tmp/draft FOLDER/1.txt
        """)
let context = arguments.makeContext()
context.textFileStream(arguments.words[0])
    .flatMap { $0.split(separator: " ").map(String.init) }
    .map { ($0, 1) }
    .reduceByKey(+)
    .print()
await arguments.run(context)
