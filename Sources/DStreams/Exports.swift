// What a program needs beside `StreamingContext` and `DStream`: with these, `import DStreams` is enough.
@_exported public import CommitProtocol
@_exported public import KafkaClient
@_exported public import StateStore
@_exported public import StreamCore
@_exported public import StreamEngine
